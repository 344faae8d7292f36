import { describe, expect, test } from "vitest";
import type { PolicyConfig, PolicyProblem, RouteConfig } from "../../src/policy/config.ts";
import { compilePolicy } from "../../src/policy/policy.ts";

function problemsOf(routes: readonly RouteConfig[]): readonly PolicyProblem[] {
  const compiled = compilePolicy({ routes });
  return "problems" in compiled ? compiled.problems : [];
}

const sound: RouteConfig = { path: "/v1", access: "authenticated" };

describe("one route is refused", () => {
  test.each<[string, Partial<RouteConfig>, keyof RouteConfig | undefined, string]>([
    ["a path without a slash", { path: "v1" }, "path", '"v1" must begin with "/"'],
    ["an ambiguous path", { path: "/a/../b" }, "path", '"/a/../b" can be read in more than one way'],
    [
      "a host with a wildcard",
      { host: "*.test" },
      "host",
      '"*.test" must be a host name or IP literal, without wildcards',
    ],
    [
      "a host with a comma",
      { host: "a.test,b.test" },
      "host",
      '"a.test,b.test" must be a host name or IP literal, without wildcards',
    ],
    ["an empty host", { host: "" }, "host", '"" must be a host name or IP literal, without wildcards'],
    [
      "a method in small letters",
      { methods: ["GET", "post"] },
      "methods",
      '"post" must be a method name in upper case, and not CONNECT',
    ],
    ["an empty method", { methods: [""] }, "methods", '"" must be a method name in upper case, and not CONNECT'],
    [
      "CONNECT, which is always refused",
      { methods: ["CONNECT"] },
      "methods",
      '"CONNECT" must be a method name in upper case, and not CONNECT',
    ],
    ["no method at all", { methods: [] }, "methods", "must name at least one method; leave it out for any"],
    ["a scope with a space", { access: undefined, scopes: ["a b"] }, "scopes", '"a b" must be a scope without "*"'],
    ["a scope with a wildcard", { access: undefined, scopes: ["a:*"] }, "scopes", '"a:*" must be a scope without "*"'],
    [
      "no scope at all",
      { access: undefined, scopes: [] },
      "scopes",
      "must name at least one scope; for any valid key say access: authenticated",
    ],
    ["nothing that it asks for", { access: undefined }, undefined, "says none of access, scopes, tenant, owner"],
    [
      "nothing but that it forwards the credential",
      { access: undefined, forward_credential: true },
      undefined,
      "says none of access, scopes, tenant, owner",
    ],
    ["public with scopes", { access: "public", scopes: ["a"] }, "access", "public contradicts scopes"],
    ["deny with scopes", { access: "deny", scopes: ["a"] }, "access", "deny contradicts scopes"],
    ["match without scopes", { match: "all" }, "match", "says how to match scopes, but there are none"],
    [
      "match without scopes, beside a tenant",
      { access: undefined, tenant: "acme", match: "all" },
      "match",
      "says how to match scopes, but there are none",
    ],
    ["public with a tenant", { access: "public", tenant: "acme" }, "access", "public contradicts tenant"],
    ["deny with a tenant", { access: "deny", tenant: "acme" }, "access", "deny contradicts tenant"],
    ["public with an owner", { access: "public", owner: "user/a" }, "access", "public contradicts owner"],
    ["deny with an owner", { access: "deny", owner: "user/a" }, "access", "deny contradicts owner"],
    [
      "public that forwards the credential",
      { access: "public", forward_credential: true },
      "access",
      "public contradicts forward_credential",
    ],
    [
      "deny that forwards the credential",
      { access: "deny", forward_credential: true },
      "access",
      "deny contradicts forward_credential",
    ],
    [
      "public with everything that asks",
      { access: "public", scopes: ["a"], tenant: "acme", owner: "user/a", forward_credential: true },
      "access",
      "public contradicts scopes, tenant, owner, forward_credential",
    ],
    [
      "a tenant that is none",
      { tenant: "Acme" },
      "tenant",
      '"Acme" must be "{name}" of a segment of the path, "*" for any, or 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit',
    ],
    [
      "an owner that is none",
      { owner: "team/a" },
      "owner",
      '"team/a" must be "user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -, all or the end of which may be "{name}" of a segment of the path',
    ],
    [
      "a tenant in a segment that the path does not have",
      { path: "/t/{t}", tenant: "{tenant}" },
      "tenant",
      '"{tenant}" must be a segment of the path',
    ],
    [
      "an owner in a segment that the path has twice",
      { path: "/{p}/{p}", owner: "project/{p}" },
      "owner",
      '"{p}" stands 2 times in the path; it must stand once',
    ],
  ])("for %s", (_title, fault, field, message) => {
    expect(problemsOf([sound])).toEqual([]);
    expect(
      problemsOf([
        { path: "/ok", access: "public" },
        { ...sound, ...fault },
      ]),
    ).toEqual([{ route: 1, field, message }]);
  });

  test("for everything that is wrong with it, and so is each of the others", () => {
    const problems = problemsOf([
      { path: "v1", methods: ["get"], scopes: ["a b"], match: "any" },
      sound,
      { ...sound, path: "/a//b" },
    ]);
    expect(problems.map(({ route, field }) => [route, field])).toEqual([
      [0, "path"],
      [0, "methods"],
      [0, "scopes"],
      [2, "path"],
    ]);
  });
});

test("where the path of a route is wrong, only the form of its bindings is judged", () => {
  const fieldsOf = (tenant: string) => problemsOf([{ path: "v1", tenant }]).map(({ field }) => field);
  expect(fieldsOf("{t}")).toEqual(["path"]);
  expect(fieldsOf("{t")).toEqual(["path", "tenant"]);
});

test.each<[string, RouteConfig]>([
  ["a name twice in its path, which no binding uses", { path: "/{p}/{p}/{t}", tenant: "{t}" }],
  ["a tenant and an owner in one segment", { path: "/{x}", tenant: "{x}", owner: "user/{x}" }],
  ["a tenant beside access that agrees", { path: "/v1", access: "authenticated", tenant: "acme" }],
  [
    "a credential that is not forwarded, on a public path",
    { path: "/v1", access: "public", forward_credential: false },
  ],
])("a route may have %s", (_title, route) => {
  expect(problemsOf([route])).toEqual([]);
});

test.each(["GET", "M-SEARCH", "VERSION_CONTROL"])("a route may name the method %s", (method) => {
  expect(problemsOf([{ ...sound, methods: [method] }])).toEqual([]);
});

describe("two routes", () => {
  const other = (path: string, more: Partial<RouteConfig> = {}): RouteConfig => ({ path, access: "deny", ...more });
  test.each<[string, RouteConfig, RouteConfig, boolean]>([
    ["the same path", other("/a"), other("/a"), false],
    ["paths that differ in case", other("/a"), other("/A"), true],
    ["paths that differ in a letter", other("/a"), other("/b"), false],
    ["paths that differ in a trailing slash", other("/a"), other("/a/"), true],
    ["a path and all below it", other("/a"), other("/a/**"), false],
    ["paths with an open end that differ in case", other("/a/**"), other("/A/**"), true],
    ["paths that differ in an escape", other("/a:b"), other("/a%3Ab"), true],
    ["paths that differ in an escape of what needs none", other("/a"), other("/%61"), false],
    ["segments that differ in name only", other("/{a}"), other("/{b}"), false],
    ["segments beside others that differ in case", other("/x/{a}"), other("/X/*"), true],
    ["public ones that differ in case", other("/a", { access: "public" }), other("/A", { access: "public" }), true],
    ["methods that are apart", other("/a", { methods: ["GET"] }), other("/A", { methods: ["PUT"] }), false],
    ["methods that meet", other("/a", { methods: ["GET", "PUT"] }), other("/A", { methods: ["PUT"] }), true],
    ["methods that meet all", other("/a", { methods: ["GET"] }), other("/A"), true],
    ["hosts that differ", other("/a", { host: "a.test" }), other("/A", { host: "b.test" }), false],
    [
      "hosts that are the same, written differently",
      other("/a", { host: "a.test" }),
      other("/A", { host: "A.TEST" }),
      true,
    ],
    ["one host and any", other("/a", { host: "a.test" }), other("/A"), false],
  ])("of %s differ only in looseness: %4$s", (_title, one, two, loosely) => {
    const message =
      "differs from routes[0] only in case, escapes or a trailing slash, which what asks does not tell apart";
    expect(problemsOf([one, two])).toEqual(loosely ? [{ route: 1, field: "path", message }] : []);
  });
});

describe("where scopes are defined", () => {
  const scopes = { "a:read": {}, "a:write": { implies: ["a:read"] } };
  const problemsWith = (more: Partial<PolicyConfig>) => {
    const compiled = compilePolicy({ routes: [], scopes, ...more });
    return "problems" in compiled ? compiled : { problems: [], scopeProblems: [] };
  };
  const asking = (...names: string[]): RouteConfig => ({ path: "/v1", scopes: names });

  test.each<[string, RouteConfig, PolicyProblem[]]>([
    ["one that is defined", asking("a:read"), []],
    ["two that are defined", asking("a:read", "a:write"), []],
    ["none", sound, []],
    ["one that is not", asking("a:rea"), [{ route: 0, field: "scopes", message: '"a:rea" is not among the scopes' }]],
    [
      "one in another case",
      asking("A:read"),
      [{ route: 0, field: "scopes", message: '"A:read" is not among the scopes' }],
    ],
    [
      "one of two that is not",
      asking("a:read", "b"),
      [{ route: 0, field: "scopes", message: '"b" is not among the scopes' }],
    ],
    [
      "a property that objects have",
      asking("constructor"),
      [{ route: 0, field: "scopes", message: '"constructor" is not among the scopes' }],
    ],
    [
      "what is no scope at all, which is said once",
      asking("a b"),
      [{ route: 0, field: "scopes", message: '"a b" must be a scope without "*"' }],
    ],
  ])("a route may ask for those only: %s", (_title, route, problems) => {
    expect(problemsWith({ routes: [route] })).toEqual({ problems, scopeProblems: [] });
  });

  test.each<[string, PolicyConfig["scopes"]]>([
    ["no scopes", undefined],
    ["an empty mapping", {}],
  ])("a route may ask for anything with %s", (_title, none) => {
    expect(problemsWith({ routes: [asking("a:rea")], scopes: none })).toEqual({ problems: [], scopeProblems: [] });
  });

  test("what is wrong with them is told beside what is wrong with the routes", () => {
    const wrong = { a: { implies: ["b"] } };
    expect(problemsWith({ routes: [{ path: "v1", access: "deny" }, asking("z")], scopes: wrong })).toEqual({
      problems: [{ route: 0, field: "path", message: '"v1" must begin with "/"' }],
      scopeProblems: [{ scope: "a", message: 'implies "b", which is not defined' }],
    });
  });
});
