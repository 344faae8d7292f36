import { describe, expect, test } from "vitest";
import { decide, decidePublic, deny, isAllowed } from "../../src/check/decide.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { recordOf } from "../support/sample-keys.ts";

const nowMs = 1_700_000_000_000;

function ruleOf(more: Partial<Rule> = {}): Rule {
  return { access: "authenticated", scopes: [], match: "any", route: "/**", ...more };
}

test.each<[string, Partial<KeyRecord>, Partial<Rule>, string]>([
  ["a key that says nothing of itself", {}, {}, "allowed"],
  ["a revoked key", { revoked: true }, {}, "key_revoked"],
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
  ["expired before not yet valid", { expiresAtMs: 0, notBeforeMs: nowMs + 1 }, {}, "key_expired"],
  ["not yet valid before the path", { notBeforeMs: nowMs + 1, paths: ["/x"] }, {}, "key_not_yet_valid"],
  ["the path before the scope", { paths: ["/x"] }, { scopes: ["a"] }, "path_not_allowed"],
  ["a closed route, which comes here by a defect only", {}, { access: "deny" }, "internal_error"],
  ["a public route, which comes here by a defect only", {}, { access: "public" }, "internal_error"],
])("%s on a route: %4$s with %s and %s", (_title, key, asked, reason) => {
  const record = recordOf(key);
  const rule = ruleOf(asked);
  const decision = decide("/v1/orders", rule, record, nowMs);
  expect(decision).toMatchObject({ allowed: reason === "allowed", reason, record, rule });
  expect(isAllowed(decision)).toBe(reason === "allowed");
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
