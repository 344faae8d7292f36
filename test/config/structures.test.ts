import { describe, expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.ts";

const FROMS = "one of bearer, scheme, header, basic, query, cookie";
const TOKEN = "must be a token (letters, digits and !#$%&'*+.^_`|~-)";
const PARAMETER = "must be 1 to 64 of A-Z, a-z, 0-9 and _ . ~ -";
const USERNAME = 'must be 1 to 200 ASCII characters without ":" and controls';

/** One place at which keys may be presented, on the second line. */
const place = (entry: string) => `credentials:\n  - ${entry}\n`;

describe("credentials are read:", () => {
  test.each<[string, string, object[]]>([
    ["bearer", place("{ from: bearer }"), [{ from: "bearer" }]],
    ["a scheme, in small letters", place("{ from: scheme, name: ApiKey }"), [{ from: "scheme", name: "apikey" }]],
    ["a header, in small letters", place("{ from: header, name: X-Key }"), [{ from: "header", name: "x-key" }]],
    ["Basic with a user name", place("{ from: basic, username: Key Ward }"), [{ from: "basic", username: "Key Ward" }]],
    ["Basic with any user name", place('{ from: basic, username: "*" }'), [{ from: "basic", username: "*" }]],
    [
      "a user name of 200 characters",
      place(`{ from: basic, username: ${"u".repeat(200)} }`),
      [{ from: "basic", username: "u".repeat(200) }],
    ],
    [
      "a query parameter, as it is written",
      place("{ from: query, name: Api_Key }"),
      [{ from: "query", name: "Api_Key" }],
    ],
    [
      "a parameter of 64 characters",
      place(`{ from: query, name: ${"k".repeat(64)} }`),
      [{ from: "query", name: "k".repeat(64) }],
    ],
    [
      "a cookie, as it is written",
      place("{ from: cookie, name: __Host-Key }"),
      [{ from: "cookie", name: "__Host-Key" }],
    ],
    [
      "several, in their order",
      "credentials:\n  - { from: cookie, name: k }\n  - from: bearer\n",
      [{ from: "cookie", name: "k" }, { from: "bearer" }],
    ],
  ])("%s", (_title, source, credentials) => {
    expect(readConfigFile("k.yaml", source)).toMatchObject({ structures: { credentials }, problems: [] });
  });
});

describe("credentials are refused, with their line:", () => {
  test.each<[string, string, string[]]>([
    [
      "an empty list",
      "mode: all\ncredentials: []",
      ["k.yaml:2: credentials (a list) must name at least one place; leave it out for the usual ones"],
    ],
    ["nothing", "credentials:", ["k.yaml:1: credentials (empty) must be a list"]],
    ["a word", "credentials: bearer", ['k.yaml:1: credentials "bearer" must be a list']],
    ["a mapping", "credentials: { from: bearer }", ["k.yaml:1: credentials (a mapping) must be a list"]],
    ["a word for a place", place("bearer"), [`k.yaml:2: credentials[0] "bearer" must say from: ${FROMS}`]],
    ["an empty place", "credentials:\n  -\n", [`k.yaml:2: credentials[0] (empty) must say from: ${FROMS}`]],
    ["a place that says nothing", place("{}"), [`k.yaml:2: credentials[0] must say from: ${FROMS}`]],
    ["a place without from", place("{ name: x-key }"), [`k.yaml:2: credentials[0] must say from: ${FROMS}`]],
    ["another from", place("from: bearr"), [`k.yaml:2: credentials[0].from "bearr" must be ${FROMS}`]],
    ["from in capitals", place("from: Bearer"), [`k.yaml:2: credentials[0].from "Bearer" must be ${FROMS}`]],
    ["a number for from", place("from: 1"), [`k.yaml:2: credentials[0].from 1 must be ${FROMS}`]],
    [
      "the second of two, on its own line",
      "credentials:\n  - from: bearer\n  - name: k\n    from: cookies\n",
      [`k.yaml:4: credentials[1].from "cookies" must be ${FROMS}`],
    ],
    ["a name for bearer", place("{ from: bearer, name: x }"), ['k.yaml:2: unknown key "name" in credentials[0]']],
    ["a scheme without name", place("{ from: scheme }"), ["k.yaml:2: credentials[0] has no name"]],
    ["a header without name", place("{ from: header }"), ["k.yaml:2: credentials[0] has no name"]],
    ["a parameter without name", place("{ from: query }"), ["k.yaml:2: credentials[0] has no name"]],
    ["a cookie without name", place("{ from: cookie }"), ["k.yaml:2: credentials[0] has no name"]],
    ["Basic without user name", place("{ from: basic }"), ["k.yaml:2: credentials[0] has no username"]],
    [
      "Basic with a name",
      place("{ from: basic, username: k, name: x }"),
      ['k.yaml:2: unknown key "name" in credentials[0]'],
    ],
    [
      "a typo",
      place("from: scheme\n    nam: x"),
      ["k.yaml:2: credentials[0] has no name", 'k.yaml:3: unknown key "nam" in credentials[0] (did you mean "name"?)'],
    ],
    ["a scheme with a space", place("{ from: scheme, name: a b }"), [`k.yaml:2: credentials[0].name "a b" ${TOKEN}`]],
    ["an empty scheme", place("{ from: scheme, name: '' }"), [`k.yaml:2: credentials[0].name "" ${TOKEN}`]],
    [
      "a header with a colon",
      place("from: header\n    name: 'x-key:'"),
      [`k.yaml:3: credentials[0].name "x-key:" ${TOKEN}`],
    ],
    ["a pseudo-header", place("{ from: header, name: ':path' }"), [`k.yaml:2: credentials[0].name ":path" ${TOKEN}`]],
    [
      "a header that is not ASCII",
      place("{ from: header, name: clé }"),
      [`k.yaml:2: credentials[0].name "clé" ${TOKEN}`],
    ],
    [
      "a number for a header",
      place("{ from: header, name: 5 }"),
      ["k.yaml:2: credentials[0].name 5 must be text, so put it in quotes"],
    ],
    [
      "a list for a header",
      place("{ from: header, name: [a] }"),
      ["k.yaml:2: credentials[0].name (a list) must be text"],
    ],
    [
      "an escaped parameter",
      place("{ from: query, name: api%5Fkey }"),
      [`k.yaml:2: credentials[0].name "api%5Fkey" ${PARAMETER}`],
    ],
    [
      "a parameter with a space",
      place("{ from: query, name: a b }"),
      [`k.yaml:2: credentials[0].name "a b" ${PARAMETER}`],
    ],
    [
      "a parameter with a plus",
      place("{ from: query, name: a+b }"),
      [`k.yaml:2: credentials[0].name "a+b" ${PARAMETER}`],
    ],
    [
      "a parameter of 65 characters",
      place(`{ from: query, name: ${"k".repeat(65)} }`),
      [`k.yaml:2: credentials[0].name "${"k".repeat(60)}…" ${PARAMETER}`],
    ],
    [
      "a cookie with a semicolon",
      place("{ from: cookie, name: a;b }"),
      [`k.yaml:2: credentials[0].name "a;b" ${TOKEN}`],
    ],
    [
      "a cookie with an equals sign",
      place("{ from: cookie, name: a=b }"),
      [`k.yaml:2: credentials[0].name "a=b" ${TOKEN}`],
    ],
    [
      "a user name with a colon",
      place("{ from: basic, username: 'a:b' }"),
      [`k.yaml:2: credentials[0].username "a:b" ${USERNAME}`],
    ],
    [
      "a user name with a NUL",
      place(String.raw`{ from: basic, username: "a\0" }`),
      [String.raw`k.yaml:2: credentials[0].username "a\u0000" ${USERNAME}`],
    ],
    [
      "a user name that is not ASCII, which clients encode in several ways",
      place("{ from: basic, username: é }"),
      [`k.yaml:2: credentials[0].username "é" ${USERNAME}`],
    ],
    [
      "an empty user name",
      place("{ from: basic, username: '' }"),
      [`k.yaml:2: credentials[0].username "" ${USERNAME}`],
    ],
    [
      "a user name of 201 characters",
      place(`{ from: basic, username: ${"u".repeat(201)} }`),
      [`k.yaml:2: credentials[0].username "${"u".repeat(60)}…" ${USERNAME}`],
    ],
    ["a typo of the whole", "credential: []", ['k.yaml:1: unknown key "credential" (did you mean "credentials"?)']],
  ])("%s", (_title, source, problems) => {
    expect(readConfigFile("k.yaml", source)).toMatchObject({ structures: {}, problems });
    expect(readConfigFile("k.yaml", source).structures).toEqual({});
  });
});

/** One route, on the second line. */
const route = (entry: string) => `routes:\n  - ${entry}\n`;

describe("what routes bind and pass on is read:", () => {
  test.each<[string, string, object]>([
    ["a tenant", route("{ path: /a, tenant: acme }"), { path: "/a", tenant: "acme" }],
    ["the tenant in a segment", route('{ path: "/t/{t}/**", tenant: "{t}" }'), { path: "/t/{t}/**", tenant: "{t}" }],
    [
      "the owner in a segment",
      route('{ path: "/p/{p}", owner: "project/{p}" }'),
      { path: "/p/{p}", owner: "project/{p}" },
    ],
    [
      "that a signed key goes on",
      route("{ path: /a, forward_credential: true }"),
      { path: "/a", forward_credential: true },
    ],
    ["how stale keys may be", route("{ path: /a, stale: { serve_for: 90s } }"), { stale: { serve_for: 90_000 } }],
    ["that it does not", route("{ path: /a, forward_credential: false }"), { path: "/a", forward_credential: false }],
  ])("%s", (_title, source, read) => {
    expect(readConfigFile("k.yaml", source)).toMatchObject({ structures: { routes: [read] }, problems: [] });
  });

  test.each<[string, string, string[]]>([
    ["a number for a tenant", "{ path: /a, tenant: 7 }", ["tenant 7 must be text, so put it in quotes"]],
    ["a segment without quotes, which is a mapping", "{ path: /a, tenant: {t} }", ["tenant (a mapping) must be text"]],
    ["no tenant", "{ path: /a, tenant: }", ["tenant (empty) must be text"]],
    ["a list of owners", "{ path: /a, owner: [user/a] }", ["owner (a list) must be text"]],
    ["a staleness without its unit", "{ path: /a, stale: 5m }", ['stale "5m" must be a mapping']],
    [
      "a staleness that is longer than a day",
      "{ path: /a, stale: { serve_for: 25h } }",
      ['stale.serve_for "25h" must be >= 0s and <= 1d'],
    ],
    [
      "another word for what comes then",
      "{ path: /a, stale: { serve_for: 1s, then: allow } }",
      ['stale.then "allow" must be deny'],
    ],
    ["a word for whether", "{ path: /a, forward_credential: yes }", ['forward_credential "yes" must be true or false']],
    ["a number for whether", "{ path: /a, forward_credential: 1 }", ["forward_credential 1 must be true or false"]],
    [
      "a text for whether",
      '{ path: /a, forward_credential: "true" }',
      ['forward_credential "true" must be true or false'],
    ],
  ])("not %s", (_title, entry, problems) => {
    const file = readConfigFile("k.yaml", route(entry));
    expect(file.problems).toEqual(problems.map((problem) => `k.yaml:2: routes[0].${problem}`));
    expect(file.structures).toEqual({});
  });

  test.each([
    ["tenants", "tenant"],
    ["ownr", "owner"],
    ["forward_credentials", "forward_credential"],
  ])("not with the typo %s", (typo, meant) => {
    const { problems } = readConfigFile("k.yaml", route(`{ path: /a, ${typo}: a }`));
    expect(problems).toEqual([`k.yaml:2: unknown key "${typo}" in routes[0] (did you mean "${meant}"?)`]);
  });
});

describe("scopes are read:", () => {
  test.each<[string, string, object]>([
    ["none", "scopes: {}", {}],
    ["one of which nothing is said", "scopes:\n  a:read:\n", { "a:read": {} }],
    [
      "one with everything",
      'scopes:\n  admin:all: { description: Full access, implies: ["*", a:read] }\n  a:read: {}\n',
      { "admin:all": { description: "Full access", implies: ["*", "a:read"] }, "a:read": {} },
    ],
    ["one that looks like a number", "scopes: { 1: {} }", { "1": {} }],
    [
      "one that objects have a property of",
      "scopes: { constructor: { implies: [] } }",
      { constructor: { implies: [] } },
    ],
  ])("%s", (_title, source, scopes) => {
    const file = readConfigFile("k.yaml", source);
    expect(file.problems).toEqual([]);
    expect(file.structures).toEqual({ scopes });
  });
});

describe("tenants are read:", () => {
  test.each<[string, string, object]>([
    ["none", "tenants: {}", {}],
    ["one of which nothing is said", "tenants:\n  acme:\n", { acme: {} }],
    [
      "one that may be granted nothing",
      "tenants: { acme: { grantable_scopes: [] } }",
      { acme: { grantable_scopes: [] } },
    ],
    [
      "two with everything",
      'tenants:\n  acme: { grantable_scopes: [a:read, "b:*"], prefix: acme_live }\n  "2": { prefix: "2" }\n',
      { acme: { grantable_scopes: ["a:read", "b:*"], prefix: "acme_live" }, "2": { prefix: "2" } },
    ],
  ])("%s", (_title, source, tenants) => {
    const file = readConfigFile("k.yaml", source);
    expect(file.problems).toEqual([]);
    expect(file.structures).toEqual({ tenants });
  });
});

describe("tenants are refused, with their line:", () => {
  test.each<[string, string, string[]]>([
    ["nothing", "tenants:", ["k.yaml:1: tenants (empty) must be a mapping"]],
    ["a list", "tenants: [acme]", ["k.yaml:1: tenants (a list) must be a mapping"]],
    ["a word for a tenant", "tenants:\n  acme: x\n", ['k.yaml:2: tenants.acme "x" must be a mapping']],
    [
      "one scope for a list",
      "tenants:\n  acme:\n    grantable_scopes: a\n",
      ['k.yaml:3: tenants.acme.grantable_scopes "a" must be a list'],
    ],
    [
      "a number for a prefix",
      "tenants:\n  acme:\n    prefix: 2\n",
      ["k.yaml:3: tenants.acme.prefix 2 must be text, so put it in quotes"],
    ],
    [
      "a typo",
      "tenants:\n  acme:\n    grantable_scope: [a]\n",
      ['k.yaml:3: unknown key "grantable_scope" in tenants.acme (did you mean "grantable_scopes"?)'],
    ],
    ["a typo of the whole", "tenats: {}", ['k.yaml:1: unknown key "tenats" (did you mean "tenants"?)']],
  ])("%s", (_title, source, problems) => {
    const file = readConfigFile("k.yaml", source);
    expect(file.problems).toEqual(problems);
    expect(file.structures).toEqual({});
  });
});

describe("scopes are refused, with their line:", () => {
  test.each<[string, string, string[]]>([
    ["nothing", "scopes:", ["k.yaml:1: scopes (empty) must be a mapping"]],
    ["a list", "scopes: [a]", ["k.yaml:1: scopes (a list) must be a mapping"]],
    ["a word for a scope", "scopes:\n  a: {}\n  b: read\n", ['k.yaml:3: scopes.b "read" must be a mapping']],
    ["a list for a scope", "scopes:\n  a: [b]\n", ["k.yaml:2: scopes.a (a list) must be a mapping"]],
    [
      "one implied scope for a list",
      "scopes:\n  a:\n    implies: b\n",
      ['k.yaml:3: scopes.a.implies "b" must be a list'],
    ],
    [
      "a number for an implied scope",
      "scopes:\n  a:\n    implies:\n      - b\n      - 1\n",
      ["k.yaml:5: scopes.a.implies[1] 1 must be text, so put it in quotes"],
    ],
    [
      "a number for a description",
      "scopes:\n  a: { description: 5 }\n",
      ["k.yaml:2: scopes.a.description 5 must be text, so put it in quotes"],
    ],
    [
      "a typo",
      "scopes:\n  a:\n    implise: [b]\n",
      ['k.yaml:3: unknown key "implise" in scopes.a (did you mean "implies"?)'],
    ],
    ["a key like no other", "scopes:\n  a:\n    colour: red\n", ['k.yaml:3: unknown key "colour" in scopes.a']],
    ["a typo of the whole", "scope: {}", ['k.yaml:1: unknown key "scope" (did you mean "scopes"?)']],
  ])("%s", (_title, source, problems) => {
    const file = readConfigFile("k.yaml", source);
    expect(file.problems).toEqual(problems);
    expect(file.structures).toEqual({});
  });

  test("a scope twice", () => {
    const { problems } = readConfigFile("k.yaml", "scopes:\n  a: {}\n  a: {}\n");
    expect(problems).toEqual(['k.yaml:3: key "a" occurs twice']);
  });
});

test("each part of a structure has the line on which it stands", () => {
  const file = readConfigFile(
    "k.yaml",
    "credentials:\n  - from: bearer\n  - from: cookie\n    name: k\nscopes:\n  a:b: {}\n  c:\n    implies: [a:b]\n",
  );
  const lineOf = (...at: PropertyKey[]) => file.structureOrigin(at);
  expect(lineOf("credentials")).toEqual({ kind: "file", file: "k.yaml", line: 1 });
  expect(lineOf("credentials", 1)).toEqual({ kind: "file", file: "k.yaml", line: 3 });
  expect(lineOf("credentials", 1, "name")).toEqual({ kind: "file", file: "k.yaml", line: 4 });
  expect(lineOf("scopes", "a:b")).toEqual({ kind: "file", file: "k.yaml", line: 6 });
  expect(lineOf("scopes", "c", "implies")).toEqual({ kind: "file", file: "k.yaml", line: 8 });
  expect(lineOf("routes")).toEqual({ kind: "default" });
});
