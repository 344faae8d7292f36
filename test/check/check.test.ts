import { describe, expect, test } from "vitest";
import type { RouteConfig } from "../../src/policy/config.ts";
import type { Described, HeaderList } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, reasonOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("reader");
const ADMIN = secretOf("admin", "kwadm");
const bearer = (secret: string): HeaderList => [["authorization", `Bearer ${secret}`]];

const routes: RouteConfig[] = [
  { path: "/healthz", access: "public" },
  { path: "/admin/**", scopes: ["admin:all"] },
  { path: "/closed", access: "deny" },
  { path: "/v1/orders", methods: ["POST"], scopes: ["orders:write"] },
  { path: "/v1/**", scopes: ["orders:read"] },
  { path: "/ping", access: "public" },
  { host: "any.test", path: "/**", access: "authenticated" },
];

const check = createSampleCheck({
  policy: policyOf(routes),
  store: storeOf({ [KEY]: recordOf({ id: "key_reader", scopes: ["orders:read"], paths: ["/v1", "/admin", "=/me"] }) }),
});

describe.each(["header_map", "headers"] as const)("whole requests with %s:", (form) => {
  test.each<[string, Described, string]>([
    ["a good key", { path: "/v1/orders", headers: bearer(KEY) }, "allowed"],
    ["a good key in its own header", { path: "/v1/orders", headers: [["x-api-key", KEY]] }, "allowed"],
    ["a key one character shorter", { path: "/v1/orders", headers: bearer(KEY.slice(0, -1)) }, "malformed_credential"],
    ["a key of the same form that nobody has", { path: "/v1/orders", headers: bearer(secretOf("x")) }, "unknown_key"],
    ["an admin key", { path: "/v1/orders", headers: bearer(ADMIN) }, "unknown_key"],
    ["no key", { path: "/v1/orders" }, "no_credential"],
    ["an empty key header", { path: "/v1/orders", headers: [["x-api-key", ""]] }, "malformed_credential"],
    [
      "a key header of 64 KiB",
      { path: "/v1/orders", headers: [["x-api-key", "k".repeat(65_536)]] },
      "malformed_credential",
    ],
    ["a bearer token that is not ASCII", { path: "/v1/orders", headers: bearer("\xe9") }, "malformed_credential"],
    [
      "a key header twice",
      {
        path: "/v1/orders",
        headers: [
          ["x-api-key", KEY],
          ["x-api-key", KEY],
        ],
      },
      "ambiguous_credential",
    ],
    [
      "an authorization twice",
      { path: "/v1/orders", headers: [...bearer(KEY), ...bearer(KEY)] },
      "ambiguous_credential",
    ],
    [
      "another scheme before the key",
      { path: "/v1/orders", headers: [["authorization", "Basic a"], ...bearer(KEY)] },
      "ambiguous_credential",
    ],
    ["another scheme", { path: "/v1/orders", headers: [["authorization", 'Digest a="b", c="d"']] }, "no_credential"],
    ["a stricter method", { method: "POST", path: "/v1/orders", headers: bearer(KEY) }, "insufficient_scope"],
    [
      "a path below that of the stricter method",
      { method: "POST", path: "/v1/orders/1", headers: bearer(KEY) },
      "allowed",
    ],
    ["a prefix without its boundary", { path: "/v1x", headers: bearer(KEY) }, "route_denied"],
    ["a stricter path", { path: "/admin/x", headers: bearer(KEY) }, "insufficient_scope"],
    ["a stricter path in another case", { path: "/ADMIN/x", headers: bearer(KEY) }, "path_not_allowed"],
    ["a stricter path with an escaped letter", { path: "/%61dmin/x", headers: bearer(KEY) }, "insufficient_scope"],
    ["a stricter path behind an escaped slash", { path: "/v1%2f..%2fadmin", headers: bearer(KEY) }, "ambiguous_path"],
    [
      "a stricter method on its path with a slash",
      { method: "POST", path: "/v1/orders/", headers: bearer(KEY) },
      "insufficient_scope",
    ],
    ["a closed route with a good key", { path: "/closed", headers: bearer(KEY) }, "route_denied"],
    ["a closed route in another case", { path: "/Closed/", headers: bearer(KEY) }, "route_denied"],
    ["a public route", { path: "/healthz" }, "public"],
    ["a public route with a query", { path: "/healthz?x" }, "public"],
    ["a public route in another case", { path: "/Healthz" }, "route_denied"],
    ["a public route with a trailing slash", { path: "/healthz/" }, "route_denied"],
    ["a public route with a bad key", { path: "/healthz", headers: bearer("nonsense") }, "public"],
    [
      "a public route with two keys",
      {
        path: "/healthz",
        headers: [
          ["x-api-key", KEY],
          ["x-api-key", ADMIN],
        ],
      },
      "public",
    ],
    ["a path that no route has", { path: "/nowhere", headers: bearer(KEY) }, "route_denied"],
    ["another host's route", { host: "any.test", path: "/me", headers: bearer(KEY) }, "allowed"],
    [
      "another host's route, as the host may be written",
      { host: "ANY.test.:8443", path: "/me", headers: bearer(KEY) },
      "allowed",
    ],
    ["a host one character longer", { host: "any.tests", path: "/me", headers: bearer(KEY) }, "route_denied"],
    ["a path below an exact one", { host: "any.test", path: "/me/x", headers: bearer(KEY) }, "path_not_allowed"],
    ["two hosts", { host: "any.test,b.test", path: "/me", headers: bearer(KEY) }, "ambiguous_host"],
    ["no host where one is asked for", { host: "", path: "/me", headers: bearer(KEY) }, "ambiguous_host"],
    [
      "no host where a public path is missed by its case",
      { host: "", path: "/PING", headers: bearer(KEY) },
      "ambiguous_host",
    ],
    ["no host where a public path is met", { host: "", path: "/ping", headers: bearer(KEY) }, "public"],
    ["no host where none is asked for", { host: "", path: "/v1/orders", headers: bearer(KEY) }, "allowed"],
    ["CONNECT", { method: "CONNECT", path: "", host: "any.test:443", headers: bearer(KEY) }, "malformed_request"],
    ["a method in small letters", { method: "get", path: "/v1/orders", headers: bearer(KEY) }, "malformed_request"],
    ["no path", { path: "", headers: bearer(KEY) }, "ambiguous_path"],
    ["a path header that tells another", { path: "/healthz", headers: [[":path", "/v1/orders"]] }, "ambiguous_path"],
    ["a host header that tells another", { path: "/healthz", headers: [[":authority", "any.test"]] }, "ambiguous_host"],
    ["a method header that tells another", { path: "/healthz", headers: [[":method", "POST"]] }, "malformed_request"],
    ["a rule of the route that opens", { path: "/closed", extensions: { "keyward.access": "public" } }, "public"],
    ["a rule of the route that closes", { path: "/healthz", extensions: { "keyward.access": "deny" } }, "route_denied"],
    [
      "a rule of the route that asks",
      { path: "/v1", extensions: { "keyward.scopes": "a" }, headers: bearer(KEY) },
      "insufficient_scope",
    ],
    [
      "a rule of the route that asks for what is there",
      { path: "/v1", extensions: { "keyward.scopes": "orders:read" }, headers: bearer(KEY) },
      "allowed",
    ],
    [
      "a mistyped rule of the route",
      { path: "/healthz", extensions: { "keyward.acces": "public" } },
      "misconfigured_route",
    ],
    ["another's entry beside", { path: "/healthz", extensions: { access: "deny" } }, "public"],
  ])("%s", (_title, described, reason) => {
    const answer = check({ ...described, form });
    expect(reasonOf(answer)).toBe(reason);
    expect(verdictOf(answer).code === 0).toBe(reason === "allowed" || reason === "public");
  });
});

describe("an exclamation mark in a path", () => {
  test("is what it says where Envoy sends raw headers, and a doubt where it does not", () => {
    const described: Described = { path: "/v1/!", headers: bearer(KEY) };
    expect(reasonOf(check({ ...described, form: "header_map" }))).toBe("allowed");
    expect(reasonOf(check({ ...described, form: "headers" }))).toBe("ambiguous_path");
    expect(reasonOf(check({ ...described, path: "/v1/?!", form: "headers" }))).toBe("allowed");
  });
});

describe("what the upstream is not to see", () => {
  const removed = (described: Described) => verdictOf(check(described)).removed;

  test.each<[string, Described, string[], string[]]>([
    ["the header that carried the key", { path: "/v1", headers: bearer(KEY) }, ["authorization"], ["x-api-key"]],
    ["the other one", { path: "/v1", headers: [["x-api-key", KEY]] }, ["x-api-key"], ["authorization"]],
    [
      "both, where both carried it",
      { path: "/v1", headers: [...bearer(KEY), ["x-api-key", KEY]] },
      ["authorization", "x-api-key"],
      [],
    ],
    [
      "not another's authorization",
      {
        path: "/v1",
        headers: [
          ["authorization", "Basic a"],
          ["x-api-key", KEY],
        ],
      },
      ["x-api-key"],
      ["authorization"],
    ],
    [
      "a key of ours on a public route",
      { path: "/healthz", headers: bearer(secretOf("x")) },
      ["authorization"],
      ["x-api-key"],
    ],
    [
      "not another's key on a public route",
      {
        path: "/healthz",
        headers: [
          ["x-api-key", "sk-1"],
          ["authorization", "Bearer e30.e30."],
        ],
      },
      [],
      ["x-api-key", "authorization"],
    ],
    ["not a mistyped key on a public route", { path: "/healthz", headers: bearer(`${KEY}x`) }, [], ["authorization"]],
    [
      "a spelling of an identity header",
      { path: "/v1", headers: [...bearer(KEY), ["X_Keyward.Owner", "me"]] },
      ["x_keyward.owner"],
      ["x-keyward-key-id"],
    ],
    [
      "a spelling on a public route",
      { path: "/healthz", headers: [["x.keyward.scopes", "*"]] },
      ["x.keyward.scopes", "x-keyward-key-id"],
      [],
    ],
  ])("is %s", (_title, described, gone, kept) => {
    expect(removed(described)).toEqual(expect.arrayContaining(gone));
    expect(removed(described).filter((name) => kept.includes(name))).toEqual([]);
  });

  test("is an identity header of the client's own: ours replaces it", () => {
    const verdict = verdictOf(check({ path: "/v1", headers: [...bearer(KEY), ["x-keyward-key-id", "key_admin"]] }));
    expect(headersOf(verdict)).toEqual({ "x-keyward-key-id": "key_reader", "x-keyward-scopes": "orders:read" });
    expect(verdict.removed).toEqual(expect.arrayContaining(["x-keyward-owner", "x-keyward-tenant"]));
    expect(verdict.removed).not.toContain("x-keyward-key-id");
  });
});

test("a message of 2 MB is judged as any other", () => {
  const long = "x".repeat(1_000_000);
  expect(reasonOf(check({ path: `/v1?${long}`, headers: bearer(KEY) }))).toBe("allowed");
  expect(reasonOf(check({ path: `/v1?${long}#`, headers: bearer(KEY) }))).toBe("ambiguous_path");
});

test("the same request is judged anew at every moment", () => {
  const until = storeOf({ [KEY]: recordOf({ expiresAtMs: 1_700_000_000_000 }) });
  const open = storeOf({ [KEY]: recordOf({ expiresAtMs: 1_700_000_000_001 }) });
  const described = { path: "/", headers: bearer(KEY) };
  expect(reasonOf(createSampleCheck({ store: until })(described))).toBe("key_expired");
  expect(reasonOf(createSampleCheck({ store: open })(described))).toBe("allowed");
});

describe("scopes that imply others", () => {
  const policy = policyOf([{ path: "/v1", scopes: ["read", "audit"] }], undefined, {
    read: {},
    audit: {},
    write: { implies: ["read"] },
    note: {},
  });
  const answerTo = (...scopes: string[]) => {
    const judge = createSampleCheck({ policy, store: storeOf({ [KEY]: recordOf({ scopes }) }) });
    return verdictOf(judge({ path: "/v1", headers: bearer(KEY) }));
  };

  test("open what asks for an implied one, and the upstream is told what the key itself has", () => {
    const verdict = answerTo("write");
    expect(verdict).toMatchObject({ code: 0, metadata: { reason: "allowed", scopes: ["write"] } });
    expect(headersOf(verdict)["x-keyward-scopes"]).toBe("write");
  });

  test("leave the answer to those that do not as it is: what is asked for, and what the key itself has", () => {
    const verdict = answerTo("note");
    expect(verdict).toMatchObject({ code: 7, metadata: { reason: "insufficient_scope" } });
    expect(JSON.parse(verdict.body)).toMatchObject({ required: ["read", "audit"], provided: ["note"] });
    expect(headersOf(verdict)["www-authenticate"]).toMatch(/, scope="read audit"$/);
  });

  test("hold for what the route's own entries ask for", () => {
    const judge = createSampleCheck({ policy, store: storeOf({ [KEY]: recordOf({ scopes: ["write"] }) }) });
    const asking = (scope: string) => judge({ headers: bearer(KEY), extensions: { "keyward.scopes": scope } });
    expect(reasonOf(asking("read"))).toBe("allowed");
    expect(reasonOf(asking("note"))).toBe("insufficient_scope");
  });
});
