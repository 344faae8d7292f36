import { describe, expect, test } from "vitest";
import { readPath } from "../../src/check/path.ts";
import type { RouteConfig } from "../../src/policy/config.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { policyOf, ruleOf } from "../support/policies.ts";

/** Where the rule for a request stands. */
function routeOf(routes: readonly RouteConfig[], request: string, host = "api.test"): string {
  const [method = "", target = ""] = request.split(" ");
  const path = readPath(target, true);
  if (path === undefined) throw new Error(`${target} is ambiguous`);
  return policyOf(routes).ruleFor(method, host, path).route;
}

const closed: RouteConfig = { path: "/Admin/{id}", access: "deny" };
const asking: RouteConfig = { path: "/v1/Orders", scopes: ["orders:read"] };
const opening: RouteConfig = { path: "/healthz", access: "public" };
const rest: RouteConfig = { path: "/**", access: "authenticated" };

describe("what asks or denies matches loosely, what opens exactly:", () => {
  test.each([
    ["itself", "/v1/Orders", "/v1/Orders"],
    ["another case", "/V1/ORDERS", "/v1/Orders"],
    ["a trailing slash", "/v1/Orders/", "/v1/Orders"],
    ["an escaped letter", "/v1/%4frders", "/v1/Orders"],
    ["another case, escaped, with a trailing slash and a query", "/V1/%6fRDERS/?x", "/v1/Orders"],
    ["one character less", "/v1/Order", "/**"],
    ["what is below it", "/v1/Orders/1", "/**"],
    ["a closed route in another case", "/ADMIN/7", "/Admin/{id}"],
    ["a closed route with a trailing slash", "/Admin/7/", "/Admin/{id}"],
    ["a closed route without its segment", "/Admin/", "/**"],
    ["a public route itself", "/healthz", "/healthz"],
    ["a public route with an escaped letter, which is the same path", "/%68ealthz", "/healthz"],
    ["a public route in another case", "/Healthz", "/**"],
    ["a public route with a trailing slash", "/healthz/", "/**"],
  ])("%s", (_title, target, route) => {
    expect(routeOf([closed, asking, opening, rest], `GET ${target}`)).toBe(route);
  });
});

describe("the first route that matches wins:", () => {
  const narrow: RouteConfig = { path: "/v1/x", access: "deny" };
  const wide: RouteConfig = { path: "/v1/**", access: "authenticated" };
  test.each([
    ["the narrow one before the wide one", [narrow, wide], "/v1/x", "/v1/x"],
    ["the wide one before the narrow one", [wide, narrow], "/v1/x", "/v1/**"],
    ["the second, where the first does not match", [narrow, wide], "/v1/xx", "/v1/**"],
    ["none", [narrow], "/v1/xx", "default_access"],
  ])("%s", (_title, routes, target, route) => {
    expect(routeOf(routes, `GET ${target}`)).toBe(route);
  });
});

describe("where a route matches in another spelling and a later one to the letter", () => {
  const me: RouteConfig = { path: "/users/me", access: "authenticated", forward_credential: true };
  const any: RouteConfig = { path: "/users/{id}", scopes: ["users:read"] };
  const slashed: RouteConfig = { path: "/users/*/", scopes: ["slash"], forward_credential: true };
  const open: RouteConfig = { path: "/users/ME", access: "public" };
  const closed: RouteConfig = { path: "/users/**", access: "deny" };
  const rulesFor = (routes: readonly RouteConfig[], path: string) => {
    const rule = policyOf(routes).ruleFor("GET", "api.test", path);
    return [rule, ...(rule.also ?? [])].map(({ route }) => route);
  };

  test.each<[string, RouteConfig[], string, string[]]>([
    ["to the letter, the first is enough", [me, any], "/users/me", ["/users/me"]],
    ["in another case, both must be satisfied", [me, any], "/users/ME", ["/users/me", "/users/{id}"]],
    ["with a trailing slash, both must be satisfied", [me, slashed], "/users/me/", ["/users/me", "/users/*/"]],
    [
      "all of them must be, up to the one that matches to the letter",
      [me, { path: "/*/me", scopes: ["x"] }, slashed, closed],
      "/users/Me/",
      ["/users/me", "/*/me", "/users/*/"],
    ],
    ["one that closes does so", [me, closed], "/users/ME", ["/users/**"]],
    ["one that closes behind the one to the letter does not", [me, any, closed], "/users/me", ["/users/me"]],
    ["one that opens asks for nothing more", [any, open], "/users/ME", ["/users/{id}"]],
    ["where no route matches to the letter, the first is enough", [me], "/users/ME", ["/users/me"]],
    ["one of another method does not count", [me, { ...any, methods: ["POST"] }], "/users/ME", ["/users/me"]],
  ])("%s", (_title, routes, path, expected) => {
    expect(rulesFor(routes, path)).toEqual(expected);
  });

  test("the key goes on only where all of them let it", () => {
    const forwards = (routes: readonly RouteConfig[], path: string) =>
      policyOf(routes).ruleFor("GET", "api.test", path).forwardCredential;
    expect(forwards([me, any], "/users/me")).toBe(true);
    expect(forwards([me, any], "/users/ME")).toBe(false);
    expect(forwards([me, slashed], "/users/Me/")).toBe(true);
  });
});

describe("a method that a route does not name falls through:", () => {
  const routes: RouteConfig[] = [
    { path: "/v1", methods: ["GET", "HEAD"], scopes: ["read"] },
    { path: "/v1", methods: ["POST"], scopes: ["write"] },
  ];
  const scopesFor = (method: string) => policyOf(routes).ruleFor(method, "api.test", "/v1").scopes;

  test.each([
    ["GET", ["read"]],
    ["HEAD", ["read"]],
    ["POST", ["write"]],
    ["POS", []],
    ["PUT", []],
  ])("%s asks for %j", (method, scopes) => {
    expect(scopesFor(method)).toEqual(scopes);
  });

  test("in the end to the default, which is closed", () => {
    expect(policyOf(routes).ruleFor("PUT", "api.test", "/v1")).toMatchObject({
      access: "deny",
      route: "default_access",
    });
  });
});

describe("a host is compared in the form in which requests have it:", () => {
  const route = (host: string): RouteConfig[] => [{ host, path: "/**", access: "authenticated" }];
  test.each([
    ["itself", "api.test", "api.test", "/**"],
    ["capitals in the configuration", "API.Test", "api.test", "/**"],
    ["a trailing dot and a port in the configuration", "api.test.:443", "api.test", "/**"],
    ["an IPv6 literal", "[::1]", "[::1]", "/**"],
    ["one character more", "api.test", "api.tests", "default_access"],
    ["a name below it", "api.test", "a.api.test", "default_access"],
    ["no host", "api.test", "", "default_access"],
  ])("%s", (_title, configured, host, found) => {
    expect(routeOf(route(configured), "GET /", host)).toBe(found);
  });
});

describe("what no route matches", () => {
  test.each([
    ["asks for a key where there are no routes", [], undefined, "authenticated"],
    ["is closed as soon as there is one", [opening], undefined, "deny"],
    ["is public where that is said", [opening], "public", "public"],
    ["is closed where that is said, without routes", [], "deny", "deny"],
    ["asks for a key where that is said, beside routes", [opening], "authenticated", "authenticated"],
  ] as const)("%s", (_title, routes, said, access) => {
    const rule = policyOf(routes, said).ruleFor("GET", "api.test", "/nowhere");
    expect(rule).toEqual(ruleOf({ access, route: "default_access" }));
  });
});

describe("the rule of a route", () => {
  test.each<[string, RouteConfig, Partial<Rule>]>([
    [
      "with scopes asks for any of them",
      { path: "/v1", scopes: ["a", "b"] },
      { access: "authenticated", scopes: ["a", "b"], match: "any" },
    ],
    [
      "with scopes asks for all where that is said",
      { path: "/v1", scopes: ["a"], match: "all" },
      { access: "authenticated", scopes: ["a"], match: "all" },
    ],
    [
      "may say both access and scopes",
      { path: "/v1", scopes: ["a"], access: "authenticated" },
      { access: "authenticated", scopes: ["a"], match: "any" },
    ],
    [
      "with access asks for a key only",
      { path: "/v1", access: "authenticated" },
      { access: "authenticated", scopes: [], match: "any" },
    ],
    [
      "with a tenant asks for its keys",
      { path: "/v1", tenant: "acme" },
      { tenant: { literal: "acme", segment: undefined } },
    ],
    [
      "with an owner asks for its keys",
      { path: "/v1", owner: "service/ci" },
      { owner: { literal: "service/ci", segment: undefined } },
    ],
    [
      "with both and scopes asks for all of that",
      { path: "/v1", tenant: "acme", owner: "user/a", scopes: ["a"] },
      {
        tenant: { literal: "acme", segment: undefined },
        owner: { literal: "user/a", segment: undefined },
        scopes: ["a"],
      },
    ],
    [
      "may forward the credential",
      { path: "/v1", access: "authenticated", forward_credential: true },
      { forwardCredential: true },
    ],
    [
      "may say that it does not",
      { path: "/v1", access: "authenticated", forward_credential: false },
      { forwardCredential: false },
    ],
    [
      "may say how stale what is known of keys may be",
      { path: "/v1", access: "authenticated", stale: { serve_for: 0 } },
      { serveStaleForMs: 0 },
    ],
  ])("%s", (_title, route, rule) => {
    expect(policyOf([route]).ruleFor("GET", "api.test", "/v1")).toEqual(ruleOf({ ...rule, route: "/v1" }));
  });

  test("knows which segments name tenant and owner", () => {
    const route = { path: "/t/{t}/p/{p}/**", tenant: "{t}", owner: "project/{p}" };
    expect(policyOf([route]).ruleFor("GET", "api.test", "/t/acme/p/7/x")).toEqual(
      ruleOf({ tenant: { literal: "", segment: 1 }, owner: { literal: "project/", segment: 3 }, route: route.path }),
    );
  });
});

describe("a request without a host", () => {
  const { needsHost } = policyOf([
    { path: "/ping", access: "public" },
    { path: "/status", access: "authenticated" },
    { host: "admin.test", path: "/{any}/**", methods: ["GET"], scopes: ["admin"] },
    { path: "/**", access: "authenticated" },
  ]);

  test.each<[string, string, string, boolean]>([
    ["is judged by a route of any host", "GET", "/ping", false],
    ["is in doubt where a public route matches in another case only", "GET", "/PING", true],
    ["is in doubt where a public route matches with a slash only", "GET", "/ping/", true],
    ["is in doubt where a route asks for a host first", "GET", "/pin", true],
    ["is in doubt where a route asks for a host in one reading", "GET", "/Status", true],
    ["is judged by the route that matches to the letter", "GET", "/status", false],
    ["is judged by the routes of its method", "POST", "/pin", false],
    ["is judged by the routes of its path", "GET", "/", false],
  ])("%s", (_title, method, path, needed) => {
    expect(needsHost(method, path)).toBe(needed);
  });
});

describe("a policy knows", () => {
  const asking: RouteConfig = { path: "/v1", scopes: ["read"] };

  test("which scopes are defined, and what implies them", () => {
    const { scopes } = policyOf([asking], undefined, { read: {}, write: { implies: ["read"] } });
    expect(scopes.defined).toEqual(["read", "write"]);
    expect(scopes.grants(["write"], "read")).toBe(true);
    expect(scopes.grants(["read"], "write")).toBe(false);
  });

  test("that no scope implies another where none is defined", () => {
    const { scopes } = policyOf([asking]);
    expect(scopes.defined).toEqual([]);
    expect(scopes.grants(["write"], "read")).toBe(false);
    expect(scopes.grants(["read"], "read")).toBe(true);
  });
});
