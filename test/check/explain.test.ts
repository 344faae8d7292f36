import { describe, expect, test } from "vitest";
import { explain, type Question, STEPS } from "../../src/check/explain.ts";
import { JUDGEMENTS } from "../../src/check/judgements.ts";
import { REASON_NAMES } from "../../src/check/reason.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import type { PolicyConfig } from "../../src/policy/config.ts";
import { policyOf } from "../support/policies.ts";
import { ratesAt } from "../support/rates.ts";
import { recordOf } from "../support/sample-keys.ts";

const NOW_MS = 1_700_000_000_000;
const ROUTES: PolicyConfig["routes"] = [
  { path: "/open", access: "public" },
  { path: "/closed", access: "deny" },
  { path: "/hosted", host: "a.test", access: "authenticated" },
  { path: "/t/{tenant}", tenant: "{tenant}" },
  { path: "/p/{p}", owner: "project/{p}" },
  { path: "/me", access: "authenticated" },
  { path: "/*", scopes: ["a"] },
  { path: "/**", scopes: ["a"] },
];
const policy = policyOf(ROUTES);
const LIMIT = { requests: 1, windowMs: 60_000, cell: 0 };

function ask(more: Partial<Question> = {}, rates = ratesAt(() => 0n)) {
  const question: Question = {
    method: "GET",
    authority: "api.test",
    target: "/x",
    bytesKnown: true,
    extensions: [],
    address: "192.0.2.1",
    credential: recordOf({ scopes: ["a"] }),
    ...more,
  };
  const { decision, steps } = explain(question, NOW_MS, policy, rates);
  const named = (state: string) => steps.filter((step) => step.state === state).map(({ name }) => name);
  return { reason: decision.reason, failed: named("failed"), unreached: named("not reached").length };
}

const refused = (more: Partial<KeyRecord>) => ({ credential: recordOf({ scopes: ["a"], ...more }) });

describe("the steps", () => {
  test("have every reason once, in the order of judging, but a defect of ours", () => {
    const reasons = STEPS.flatMap((step): readonly string[] => step.reasons);
    expect(reasons).toEqual(REASON_NAMES.filter((reason) => reason !== "internal_error"));
  });

  test("have every judgement of a key once, in its order", () => {
    const judgements = JUDGEMENTS.map(({ reason }) => reason);
    expect(REASON_NAMES.filter((reason) => judgements.some((other) => other === reason))).toEqual(judgements);
    expect(new Set(judgements).size).toBe(judgements.length);
  });
});

test.each<[string, Partial<Question>, string, string[], number]>([
  ["a good key", {}, "allowed", [], 0],
  ["a key without scopes at its place", { target: "/me", ...refused({ scopes: [] }) }, "allowed", [], 0],
  [
    "a key without scopes at what may be that place",
    { target: "/ME", ...refused({ scopes: [] }) },
    "insufficient_scope",
    ["scopes"],
    1,
  ],
  ["a method in lower case", { method: "get" }, "malformed_request", ["method"], 17],
  ["two hosts", { authority: "a.test,b.test" }, "ambiguous_host", ["host"], 16],
  ["no host where a route asks for one", { authority: "", target: "/hosted" }, "ambiguous_host", ["host"], 16],
  ["a host where a route asks for one", { authority: "a.test", target: "/hosted" }, "allowed", [], 0],
  ["a path with two slashes", { target: "//x" }, "ambiguous_path", ["path"], 15],
  [
    "extensions that are misspelt",
    { extensions: [{ name: "keyward.scope", value: "a" }] },
    "misconfigured_route",
    ["route"],
    14,
  ],
  ["a closed route", { target: "/closed" }, "route_denied", ["route"], 14],
  ["a public route", { target: "/open", credential: "no_credential" }, "public", [], 14],
  ["a public route in another case, which is none", { target: "/Open" }, "allowed", [], 0],
  ["no key", { credential: "no_credential" }, "no_credential", ["credential"], 13],
  ["what is no key", { credential: "malformed_credential" }, "malformed_credential", ["credential"], 13],
  ["a key that nobody has", { credential: "unknown_key" }, "unknown_key", ["known"], 12],
  ["a revoked key", refused({ revoked: true }), "key_revoked", ["not revoked"], 1],
  ["a disabled key", refused({ disabled: true }), "key_disabled", ["not disabled"], 1],
  [
    "a key of a disabled owner",
    refused({ ownerLimits: { disabled: true, scopes: undefined } }),
    "owner_disabled",
    ["owner not disabled"],
    1,
  ],
  ["a key at its end", refused({ expiresAtMs: NOW_MS }), "key_expired", ["not expired"], 1],
  ["a key in its last millisecond", refused({ expiresAtMs: NOW_MS + 1 }), "allowed", [], 0],
  ["a key before its time", refused({ notBeforeMs: NOW_MS + 1 }), "key_not_yet_valid", ["valid already"], 1],
  ["a key in its first millisecond", refused({ notBeforeMs: NOW_MS }), "allowed", [], 0],
  ["another address", refused({ networks: { has: () => false } }), "address_not_allowed", ["from this address"], 1],
  ["another tenant", { target: "/t/b", ...refused({ tenant: "a" }) }, "tenant_mismatch", ["of this tenant"], 1],
  ["the same tenant", { target: "/t/a", ...refused({ tenant: "a" }) }, "allowed", [], 0],
  ["another owner", { target: "/p/b", ...refused({ owner: "project/a" }) }, "owner_mismatch", ["of this owner"], 1],
  ["another method", refused({ methods: ["PUT"] }), "method_not_allowed", ["with this method"], 1],
  ["another path", refused({ paths: ["/y"] }), "path_not_allowed", ["on this path"], 1],
  ["another scope", refused({ scopes: ["b"] }), "insufficient_scope", ["scopes"], 1],
  [
    "all that can stand against a key",
    refused({ revoked: true, disabled: true, notBeforeMs: NOW_MS + 1, paths: ["/y"], scopes: [] }),
    "key_revoked",
    ["not revoked", "valid already", "on this path", "scopes"],
    1,
  ],
])("%s fails where it should, or not at all", (_, question, reason, failed, unreached) => {
  expect(ask(question)).toEqual({ reason, failed, unreached });
});

test("a rate limit is looked at last, and asking counts nothing", () => {
  const rates = ratesAt(() => 0n);
  const question = refused({ rateLimit: LIMIT });
  for (let times = 0; times < 3; times++) expect(ask(question, rates)).toMatchObject({ reason: "allowed" });
  expect(rates.take(LIMIT).allowed).toBe(true);
  expect(ask(question, rates)).toEqual({ reason: "rate_limited", failed: ["rate limit"], unreached: 0 });
  const other = refused({ rateLimit: LIMIT, scopes: [] });
  expect(ask(other, rates)).toEqual({ reason: "insufficient_scope", failed: ["scopes"], unreached: 1 });
});
