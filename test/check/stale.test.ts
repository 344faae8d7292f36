import { describe, expect, test } from "vitest";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { verdictOf } from "../support/verdict.ts";

const secret = secretOf("known");
const store = storeOf({ [secret]: recordOf() });
const policy = policyOf([
  { path: "/strict", access: "authenticated", stale: { serve_for: 0 } },
  { path: "/users/me", access: "authenticated", stale: { serve_for: 60_000 } },
  { path: "/users/*", access: "authenticated", stale: { serve_for: 0 } },
  { path: "/lax", access: "authenticated", stale: { serve_for: 60_000 } },
  { path: "/usual", access: "authenticated" },
  { path: "/open", access: "public" },
]);

function verdictAt(path: string, staleMs: number) {
  const check = createSampleCheck({ policy, store: { ...store, staleMs: () => staleMs }, serveStaleForMs: 30_000 });
  const { metadata, status } = verdictOf(check({ path, headers: [["authorization", `Bearer ${secret}`]] }));
  return [metadata.reason, status, metadata.stale];
}

describe("a store that has been stale for so long", () => {
  test.each<[number, string, ReturnType<typeof verdictAt>]>([
    [0, "/usual", ["allowed", 0, undefined]],
    [0, "/strict", ["allowed", 0, undefined]],
    [1, "/strict", ["store_unavailable", 503, "1s"]],
    [1, "/usual", ["allowed", 0, "1s"]],
    [30_000, "/usual", ["allowed", 0, "30s"]],
    [30_001, "/usual", ["store_unavailable", 503, "31s"]],
    [30_001, "/lax", ["allowed", 0, "31s"]],
    [60_000, "/lax", ["allowed", 0, "60s"]],
    [1, "/users/me", ["allowed", 0, "1s"]],
    [1, "/users/ME", ["store_unavailable", 503, "1s"]],
    [60_001, "/lax", ["store_unavailable", 503, "61s"]],
    [60_001, "/open", ["public", 0, "61s"]],
  ])("(%i ms) answers a request for %s as it may", (staleMs, path, verdict) => {
    expect(verdictAt(path, staleMs)).toEqual(verdict);
  });
});

test("a store that cannot even tell how stale it is denies", () => {
  const broken = {
    ...store,
    staleMs: () => {
      throw new Error("broken");
    },
  };
  const check = createSampleCheck({ policy, store: broken });
  const { metadata, code } = verdictOf(check({ path: "/usual", headers: [["authorization", `Bearer ${secret}`]] }));
  expect([metadata.reason, code]).toEqual(["internal_error", 7]);
});
