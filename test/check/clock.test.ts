import { expect, test } from "vitest";
import { createCheck } from "../../src/check/check.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { describeRequest } from "../support/check-request.ts";
import { portsOf, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { reasonOf } from "../support/verdict.ts";

const HOUR_MS = 3_600_000;
const { nowMs } = sampleContext;
const secret = secretOf("clock");
const request = describeRequest({ headers: [["authorization", `Bearer ${secret}`]] });

/** What a check says now, and again once the wall clock has been put back by an hour. */
function beforeAndAfter(key: Partial<KeyRecord>): unknown[] {
  const check = createCheck(portsOf({ store: storeOf({ [secret]: recordOf(key) }) }));
  return [nowMs, nowMs - HOUR_MS].map((at) => reasonOf(check(request, { ...sampleContext, nowMs: at })));
}

test.each<[string, Partial<KeyRecord>, string, string]>([
  ["a revoked key stays refused", { revoked: true }, "key_revoked", "key_revoked"],
  ["a key that was rotated without grace, too", { revoked: true, graceEndsAtMs: nowMs }, "key_revoked", "key_revoked"],
  ["a disabled key stays refused", { disabled: true }, "key_disabled", "key_disabled"],
  [
    "a key of a disabled owner stays refused",
    { ownerLimits: { disabled: true, scopes: undefined } },
    "owner_disabled",
    "owner_disabled",
  ],
  ["an expiry follows the clock", { expiresAtMs: nowMs - 1 }, "key_expired", "allowed"],
  ["an expiry before that hour does not come back", { expiresAtMs: nowMs - HOUR_MS }, "key_expired", "key_expired"],
  ["the end of a grace period follows the clock", { graceEndsAtMs: nowMs - 1 }, "key_expired", "allowed"],
  ["a beginning follows the clock", { notBeforeMs: nowMs - HOUR_MS + 1 }, "allowed", "key_not_yet_valid"],
])("when the clock goes back by an hour, %s", (_title, key, before, after) => {
  expect(beforeAndAfter(key)).toEqual([before, after]);
});
