import { describe, expect, test } from "vitest";
import { decide, decidePublic, deny, isAllowed } from "../../src/check/decide.ts";
import type { Target } from "../../src/check/judgements.ts";
import type { AddressSet, KeyRecord } from "../../src/key/record.ts";
import type { Binding } from "../../src/policy/binding.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { judging, policyOf, ruleOf } from "../support/policies.ts";
import { recordOf } from "../support/sample-keys.ts";

const nowMs = 1_700_000_000_000;
const target: Target = { method: "GET", path: "/v1/orders", address: "192.0.2.1" };

const acme: Binding = { literal: "acme", segment: undefined };
const any: Binding = { literal: "*", segment: undefined };
const named: Binding = { literal: "", segment: 1 };
const ci: Binding = { literal: "service/ci", segment: undefined };
const project: Binding = { literal: "project/", segment: 1 };

/** A set of exactly these addresses. */
function only(...addresses: string[]): AddressSet {
  return { has: (address) => addresses.includes(address) };
}

test.each<[string, Partial<KeyRecord>, Partial<Rule>, string]>([
  ["a key that says nothing of itself", {}, {}, "allowed"],
  ["a revoked key", { revoked: true }, {}, "key_revoked"],
  ["a disabled key", { disabled: true }, {}, "key_disabled"],
  ["a rotated key in the last millisecond of its grace", { graceEndsAtMs: nowMs + 1 }, {}, "allowed"],
  ["a rotated key at the end of its grace", { graceEndsAtMs: nowMs }, {}, "key_expired"],
  ["a key of an owner that may open", { ownerLimits: { disabled: false, scopes: undefined } }, {}, "allowed"],
  ["a key of a disabled owner", { ownerLimits: { disabled: true, scopes: undefined } }, {}, "owner_disabled"],
  ["a key for this method", { methods: ["GET"] }, {}, "allowed"],
  ["a key for another method", { methods: ["HEAD"] }, {}, "method_not_allowed"],
  ["a key for this method among others", { methods: ["POST", "GET"] }, {}, "allowed"],
  ["a key for this method in another case only", { methods: ["get"] }, {}, "method_not_allowed"],
  ["a key for this address", { networks: only("192.0.2.1") }, {}, "allowed"],
  ["a key for another address", { networks: only("192.0.2.2") }, {}, "address_not_allowed"],
  ["a key for no address at all", { networks: only() }, {}, "address_not_allowed"],
  ["a key in its last millisecond", { expiresAtMs: nowMs + 1 }, {}, "allowed"],
  ["a key at its end", { expiresAtMs: nowMs }, {}, "key_expired"],
  ["a key in its first millisecond", { notBeforeMs: nowMs }, {}, "allowed"],
  ["a key one millisecond early", { notBeforeMs: nowMs + 1 }, {}, "key_not_yet_valid"],
  ["a key for this path", { paths: ["/v1"] }, {}, "allowed"],
  ["a key for another path", { paths: ["/v"] }, {}, "path_not_allowed"],
  ["a key for this path among others", { paths: ["/v2", "=/v1/orders"] }, {}, "allowed"],
  ["a key for other paths only", { paths: ["/v2", "=/v1/order"] }, {}, "path_not_allowed"],
  ["the scope that is asked for", { scopes: ["a:read"] }, { scopes: ["a:read"] }, "allowed"],
  ["another scope", { scopes: ["a:rea"] }, { scopes: ["a:read"] }, "insufficient_scope"],
  ["no scope", {}, { scopes: ["a:read"] }, "insufficient_scope"],
  ["no scope where none is asked for", {}, {}, "allowed"],
  ["one of any two", { scopes: ["b"] }, { scopes: ["a", "b"] }, "allowed"],
  ["none of any two", { scopes: ["c"] }, { scopes: ["a", "b"] }, "insufficient_scope"],
  ["one of all two", { scopes: ["b"] }, { scopes: ["a", "b"], match: "all" }, "insufficient_scope"],
  ["both of all two", { scopes: ["b", "a"] }, { scopes: ["a", "b"], match: "all" }, "allowed"],
  ["a wildcard for all two", { scopes: ["o:*"] }, { scopes: ["o:a", "o:b"], match: "all" }, "allowed"],
  [
    "a wildcard for one of all two",
    { scopes: ["o:*"] },
    { scopes: ["o:a", "p:b"], match: "all" },
    "insufficient_scope",
  ],
  ["revoked before expired", { revoked: true, expiresAtMs: 0 }, {}, "key_revoked"],
  ["revoked before disabled", { revoked: true, disabled: true }, {}, "key_revoked"],
  ["disabled before its owner", { disabled: true, ownerLimits: { disabled: true, scopes: [] } }, {}, "key_disabled"],
  ["its owner before expired", { expiresAtMs: 0, ownerLimits: { disabled: true, scopes: [] } }, {}, "owner_disabled"],
  ["disabled after its grace", { graceEndsAtMs: nowMs, disabled: true }, {}, "key_disabled"],
  ["disabled before expired", { disabled: true, expiresAtMs: 0 }, {}, "key_disabled"],
  ["disabled in its grace", { disabled: true, graceEndsAtMs: nowMs + 1 }, {}, "key_disabled"],
  ["expired in its grace", { expiresAtMs: nowMs, graceEndsAtMs: nowMs + 1 }, {}, "key_expired"],
  ["expired before not yet valid", { expiresAtMs: 0, notBeforeMs: nowMs + 1 }, {}, "key_expired"],
  ["not yet valid before the address", { notBeforeMs: nowMs + 1, networks: only() }, {}, "key_not_yet_valid"],
  ["a key of this tenant", { tenant: "acme" }, { tenant: acme }, "allowed"],
  ["a key of another tenant", { tenant: "acmf" }, { tenant: acme }, "tenant_mismatch"],
  ["a key of no tenant", {}, { tenant: acme }, "tenant_mismatch"],
  ["a key of a tenant where none is asked for", { tenant: "acme" }, {}, "allowed"],
  ["a key of the tenant that the path names", { tenant: "orders" }, { tenant: named }, "allowed"],
  ["a key of a part of the tenant that the path names", { tenant: "order" }, { tenant: named }, "tenant_mismatch"],
  ["a key of the tenant that another part names", { tenant: "v1" }, { tenant: named }, "tenant_mismatch"],
  ["a key of this owner", { owner: "service/ci" }, { owner: ci }, "allowed"],
  ["a key of another owner", { owner: "service/cj" }, { owner: ci }, "owner_mismatch"],
  ["a key of no owner", {}, { owner: ci }, "owner_mismatch"],
  [
    "a key of an owner of this name in a tenant",
    { owner: "service/ci", tenant: "acme" },
    { owner: ci },
    "owner_mismatch",
  ],
  ["the same where any tenant will do", { owner: "service/ci", tenant: "acme" }, { owner: ci, tenant: any }, "allowed"],
  ["a key of the owner that the path names", { owner: "project/orders" }, { owner: project }, "allowed"],
  ["a key of another kind of owner", { owner: "service/orders" }, { owner: project }, "owner_mismatch"],
  ["the address before the tenant", { networks: only(), tenant: "b" }, { tenant: acme }, "address_not_allowed"],
  ["the tenant before the owner", { tenant: "b" }, { tenant: acme, owner: ci }, "tenant_mismatch"],
  ["the owner, where the tenant agrees", { tenant: "acme" }, { tenant: acme, owner: ci }, "owner_mismatch"],
  ["the tenant before the method", { methods: ["PUT"] }, { tenant: acme }, "tenant_mismatch"],
  ["the owner before the method", { methods: ["PUT"] }, { owner: ci }, "owner_mismatch"],
  ["the address before the method", { networks: only(), methods: ["PUT"] }, {}, "address_not_allowed"],
  ["the method before the path", { methods: ["PUT"], paths: ["/x"] }, {}, "method_not_allowed"],
  ["the path before the scope", { paths: ["/x"] }, { scopes: ["a"] }, "path_not_allowed"],
  ["a closed route, which comes here by a defect only", {}, { access: "deny" }, "internal_error"],
  ["a public route, which comes here by a defect only", {}, { access: "public" }, "internal_error"],
])("%s on a route: %4$s with %s and %s", (_title, key, asked, reason) => {
  const record = recordOf(key);
  const rule = ruleOf(asked);
  const decision = decide(target, rule, record, nowMs, judging);
  expect(decision).toMatchObject({ allowed: reason === "allowed", reason, record, rule });
  expect(isAllowed(decision)).toBe(reason === "allowed");
});

test("a key that is bound to addresses is refused where the address is not known", () => {
  const bound = recordOf({ networks: { has: () => true } });
  expect(decide(target, ruleOf(), bound, nowMs, judging)).toMatchObject({ reason: "allowed" });
  expect(decide({ ...target, address: undefined }, ruleOf(), bound, nowMs, judging)).toMatchObject({
    allowed: false,
    reason: "address_not_allowed",
  });
  expect(decide({ ...target, address: undefined }, ruleOf(), recordOf(), nowMs, judging)).toMatchObject({
    reason: "allowed",
  });
});

describe("without a key", () => {
  test.each([
    ["public", "public", true],
    ["authenticated", "internal_error", false],
    ["deny", "internal_error", false],
  ] as const)("a route that is %s gives %s", (access, reason, allowed) => {
    const decision = decidePublic(ruleOf({ access }));
    expect(decision).toMatchObject({ reason, allowed, record: undefined });
    expect(isAllowed(decision)).toBe(allowed);
  });
});

describe("no leave to pass is", () => {
  const real = decidePublic(ruleOf({ access: "public" }));
  test.each<[string, object]>([
    ["a denial", deny("key_revoked")],
    ["an object that looks like one", { allowed: true, reason: "public", rule: ruleOf(), record: undefined }],
    ["a copy of one", { ...real }],
    ["one that stands behind another object", Object.create(real) as object],
    ["an object made from its class without its constructor", Object.create(Object.getPrototypeOf(real)) as object],
  ])("%s", (_title, pretender) => {
    expect(isAllowed(pretender)).toBe(false);
    expect(isAllowed(real)).toBe(true);
  });
});

describe("with scopes that imply others, a key", () => {
  const { scopes } = policyOf([], undefined, {
    read: {},
    write: { implies: ["read"] },
    admin: { implies: ["write", "audit:*"] },
    root: { implies: ["*"] },
  });

  test.each<[string, string[], Partial<Rule>, string]>([
    ["has what it says", ["read"], { scopes: ["read"] }, "allowed"],
    ["has what is implied", ["write"], { scopes: ["read"] }, "allowed"],
    ["does not have what implies", ["read"], { scopes: ["write"] }, "insufficient_scope"],
    ["has what is implied by what is implied", ["admin"], { scopes: ["read"] }, "allowed"],
    ["does not have what implies what implies", ["read"], { scopes: ["admin"] }, "insufficient_scope"],
    ["has what an implied wildcard covers", ["admin"], { scopes: ["audit:read"] }, "allowed"],
    ["does not have the stem of an implied wildcard", ["admin"], { scopes: ["audit"] }, "insufficient_scope"],
    ["has everything by an implied *", ["root"], { scopes: ["x:y"] }, "allowed"],
    ["does not have everything without it", ["admin"], { scopes: ["x:y"] }, "insufficient_scope"],
    ["has all of two, one of them implied", ["write", "b"], { scopes: ["read", "b"], match: "all" }, "allowed"],
    ["does not have all of two", ["write"], { scopes: ["read", "b"], match: "all" }, "insufficient_scope"],
    ["has any of two, one of them implied", ["write"], { scopes: ["b", "read"] }, "allowed"],
    ["has none of any two", ["read"], { scopes: ["b", "write"] }, "insufficient_scope"],
    ["has a scope that is not defined", ["b"], { scopes: ["b"] }, "allowed"],
    ["has nothing in another case", ["Write"], { scopes: ["read"] }, "insufficient_scope"],
  ])("%s", (_title, granted, asked, reason) => {
    const decision = decide(target, ruleOf(asked), recordOf({ scopes: granted }), nowMs, { ...judging, scopes });
    expect(decision).toMatchObject({ allowed: reason === "allowed", reason });
    expect(isAllowed(decision)).toBe(reason === "allowed");
  });

  test("does not have what would be implied if no graph is handed over", () => {
    const record = recordOf({ scopes: ["write"] });
    expect(decide(target, ruleOf({ scopes: ["read"] }), record, nowMs, judging)).toMatchObject({
      reason: "insufficient_scope",
    });
    expect(decide(target, ruleOf({ scopes: ["read"] }), record, nowMs, { ...judging, scopes })).toMatchObject({
      reason: "allowed",
    });
  });
});

describe("where a path falls under several rules, each must be satisfied, and the one that refuses is named:", () => {
  const scope = ruleOf({ scopes: ["b"], route: "/b" });
  const tenant = ruleOf({ tenant: acme, route: "/acme" });
  const either = ruleOf({ scopes: ["a"], route: "/a", also: [scope, tenant] });
  test.each<[string, Partial<KeyRecord>, string, string]>([
    ["a key that satisfies all of them", { scopes: ["a", "b"], tenant: "acme" }, "allowed", "/a"],
    ["one without what the first asks for", { scopes: ["b"], tenant: "acme" }, "insufficient_scope", "/a"],
    ["one without what the second asks for", { scopes: ["a"], tenant: "acme" }, "insufficient_scope", "/b"],
    ["one without what the third asks for", { scopes: ["a", "b"], tenant: "acmf" }, "tenant_mismatch", "/acme"],
    ["the tenant before the scopes, whichever asks", { tenant: "acmf" }, "tenant_mismatch", "/acme"],
  ])("%s", (_title, record, reason, route) => {
    const decision = decide(target, either, recordOf(record), nowMs, judging);
    expect([decision.reason, decision.rule?.route]).toEqual([reason, route]);
  });
});
