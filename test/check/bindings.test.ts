import { describe, expect, test } from "vitest";
import type { KeyRecord } from "../../src/key/record.ts";
import type { Described } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, reasonOf, verdictOf } from "../support/verdict.ts";

const records: Readonly<Record<string, Partial<KeyRecord>>> = {
  acme: { tenant: "acme", scopes: ["a:read"] },
  other: { tenant: "acmf", scopes: ["a:read"] },
  nobody: { scopes: ["a:read"] },
  apollo: { tenant: "acme", owner: "project/Apollo" },
  ownApollo: { owner: "project/Apollo" },
  gemini: { tenant: "acme", owner: "project/Gemini" },
  ended: { tenant: "acmf", expiresAtMs: 0 },
};

const check = createSampleCheck({
  policy: policyOf([
    { path: "/t/{tenant}/deep/**", tenant: "{tenant}", scopes: ["a:write"] },
    { path: "/t/{tenant}/**", tenant: "{tenant}" },
    { path: "/T2/{t}/p/{p}", tenant: "{t}", owner: "project/{p}" },
    { path: "/acme/**", tenant: "acme" },
    { path: "/apollo", methods: ["GET"], owner: "project/Apollo" },
    { path: "/any/apollo", owner: "project/Apollo", tenant: "*" },
  ]),
  store: storeOf(Object.fromEntries(Object.entries(records).map(([name, more]) => [secretOf(name), recordOf(more)]))),
});

const ask = (key: string, path: string, more: Described = {}) =>
  check({ path, headers: [["x-api-key", secretOf(key)]], ...more });

describe("a key opens what is bound to its tenant and owner:", () => {
  test.each([
    ["its tenant's path", "acme", "/t/acme/x", "allowed"],
    ["another tenant's path", "other", "/t/acme/x", "tenant_mismatch"],
    ["a tenant's path with a key of none", "nobody", "/t/acme/x", "tenant_mismatch"],
    ["a path that no key can have for its tenant", "acme", "/t/ACME/x", "tenant_mismatch"],
    ["its tenant's path, the route in another case", "acme", "/T/acme/x", "allowed"],
    ["its tenant's path with a trailing slash", "acme", "/t/acme/", "allowed"],
    ["its tenant's path with an escaped letter", "acme", "/t/%61cme", "allowed"],
    ["its tenant's path with an escape that is no letter's", "acme", "/t/acme%20", "tenant_mismatch"],
    ["its tenant's path under dots", "acme", "/t/other/../acme", "ambiguous_path"],
    ["its tenant's path behind two slashes", "acme", "/t//acme", "ambiguous_path"],
    ["its tenant's path behind an escaped slash", "acme", "/t/other%2Facme", "ambiguous_path"],
    ["a path that says its tenant in the query", "acme", "/t/other?x=/t/acme/", "tenant_mismatch"],
    ["no tenant's path", "acme", "/t/", "route_denied"],
    ["its tenant and project", "apollo", "/t2/acme/p/Apollo", "allowed"],
    ["its tenant, and a project in another case", "apollo", "/t2/acme/p/apollo", "owner_mismatch"],
    ["its tenant, and another project", "gemini", "/t2/acme/p/Apollo", "owner_mismatch"],
    ["its project, and another tenant", "apollo", "/t2/acmf/p/Apollo", "tenant_mismatch"],
    ["its tenant with a key of no owner", "acme", "/t2/acme/p/Apollo", "owner_mismatch"],
    ["one tenant's path", "acme", "/acme", "allowed"],
    ["one tenant's path with another's key", "other", "/acme", "tenant_mismatch"],
    ["one project's path", "ownApollo", "/apollo", "allowed"],
    ["one project's path with a key of that name in a tenant", "apollo", "/apollo", "owner_mismatch"],
    ["one project's path for any tenant", "apollo", "/any/apollo", "allowed"],
    ["one project's path for any tenant, with a key of none", "ownApollo", "/any/apollo", "allowed"],
    ["one project's path for any tenant, with another's key", "gemini", "/any/apollo", "owner_mismatch"],
    ["one project's path with another's key", "gemini", "/apollo", "owner_mismatch"],
    ["its tenant's path, where a scope is asked for as well", "acme", "/t/acme/deep", "insufficient_scope"],
    ["another tenant's path, where a scope is asked for as well", "other", "/t/acme/deep", "tenant_mismatch"],
    ["another tenant's path with a key that has expired", "ended", "/t/acme/x", "key_expired"],
  ])("%s", (_title, key, path, reason) => {
    expect(reasonOf(ask(key, path))).toBe(reason);
    expect(verdictOf(ask(key, path)).code === 0).toBe(reason === "allowed");
  });

  test("asks for a key where nothing but a binding is said", () => {
    expect(reasonOf(check({ path: "/t/acme/x" }))).toBe("no_credential");
  });
});

describe("a route's own entries bind it to one tenant:", () => {
  test.each<[string, string, Record<string, string>, string]>([
    ["its key opens", "acme", { "keyward.tenant": "acme" }, "allowed"],
    ["another's does not", "other", { "keyward.tenant": "acme" }, "tenant_mismatch"],
    ["a key of none does not", "nobody", { "keyward.tenant": "acme" }, "tenant_mismatch"],
    [
      "its key needs the scopes as well",
      "acme",
      { "keyward.tenant": "acme", "keyward.scopes": "b" },
      "insufficient_scope",
    ],
    ["its key has the scopes as well", "acme", { "keyward.tenant": "acme", "keyward.scopes": "a:read" }, "allowed"],
    ["a tenant that is none denies", "acme", { "keyward.tenant": "ACME" }, "misconfigured_route"],
    ["a segment denies", "acme", { "keyward.tenant": "{tenant}" }, "misconfigured_route"],
    [
      "public beside it denies",
      "acme",
      { "keyward.tenant": "acme", "keyward.access": "public" },
      "misconfigured_route",
    ],
  ])("%s", (_title, key, extensions, reason) => {
    // The path is another tenant's: what the file says of it does not count.
    expect(reasonOf(ask(key, "/t/x/y", { extensions }))).toBe(reason);
  });
});

test.each([
  ["tenant_mismatch", "other", "API key does not belong to the tenant of this path"],
  ["owner_mismatch", "acme", "API key does not belong to the owner of this path"],
])("a denial as %s says so, without a challenge and without naming tenant or owner", (reason, key, sentence) => {
  const verdict = verdictOf(ask(key, "/t2/acme/p/Apollo"));
  expect(verdict).toMatchObject({ code: 7, answer: "denied", status: 403, metadata: { reason } });
  expect(JSON.parse(verdict.body)).toEqual({
    error: "access_denied",
    error_description: sentence,
    decision_id: "d-1",
  });
  expect(headersOf(verdict)).toEqual({
    "content-type": "application/json",
    "x-keyward-decision-id": "d-1",
    "x-keyward-reason": reason,
  });
});
