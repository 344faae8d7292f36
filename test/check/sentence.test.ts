import { expect, test } from "vitest";
import { deny } from "../../src/check/decide.ts";
import { REASON_NAMES, REASONS } from "../../src/check/reason.ts";
import { sentenceOf } from "../../src/check/sentence.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { describeRequest } from "../support/check-request.ts";
import { createSampleCheck, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { verdictOf } from "../support/verdict.ts";

const NOVEMBER = Date.UTC(2026, 10, 3, 23, 59, 59, 999);
const DECEMBER = Date.UTC(2026, 11, 4);
const secret = secretOf("mine");

test.each(REASON_NAMES)("%s alone is told in the words of its reason", (reason) => {
  expect(sentenceOf(deny(reason))).toBe(REASONS[reason].description);
});

test.each(REASON_NAMES)("whatever more is known, %s is told in printable ASCII without quotation marks", (reason) => {
  const record = recordOf({ expiresAtMs: NOVEMBER });
  expect(sentenceOf({ ...deny(reason, undefined, record), flaw: "mistyped" })).toMatch(/^[ !#-[\]-~]+$/);
});

test.each<[string, Partial<KeyRecord>, string]>([
  ["its end", { expiresAtMs: NOVEMBER }, "API key has expired on 2026-11-03"],
  ["the day after, a millisecond later", { expiresAtMs: NOVEMBER + 1 }, "API key has expired on 2026-11-04"],
  ["the end of its grace", { graceEndsAtMs: NOVEMBER }, "API key has expired on 2026-11-03"],
  ["the earlier of both", { expiresAtMs: DECEMBER, graceEndsAtMs: NOVEMBER }, "API key has expired on 2026-11-03"],
  [
    "the earlier of both again",
    { expiresAtMs: NOVEMBER, graceEndsAtMs: DECEMBER },
    "API key has expired on 2026-11-03",
  ],
  ["no end", {}, "API key has expired"],
])("a key that has expired is told with %s", (_, more, sentence) => {
  expect(sentenceOf(deny("key_expired", undefined, recordOf(more)))).toBe(sentence);
});

test.each<[string, string, Partial<KeyRecord>, string, string]>([
  ["a key that was cut", secret.slice(0, -1), {}, "malformed_credential", "The API key is malformed (truncated)"],
  ["a key with a character more", `${secret}0`, {}, "malformed_credential", "The API key is malformed (mistyped)"],
  ["something else", "x", {}, "malformed_credential", "The API key is malformed (truncated, or mistyped)"],
  ["nothing", "", {}, "malformed_credential", "The API key is malformed (truncated, or mistyped)"],
  ["a key that has expired", secret, { expiresAtMs: 86_400_000 }, "key_expired", "API key has expired on 1970-01-02"],
])("%s is told as such in body and challenge", (_, presented, more, reason, sentence) => {
  const check = createSampleCheck({ store: storeOf({ [secret]: recordOf(more) }) });
  const verdict = verdictOf(check(describeRequest({ headers: [["authorization", `Bearer ${presented}`]] })));
  expect(verdict).toMatchObject({ status: 401, metadata: { reason } });
  expect(JSON.parse(verdict.body)).toEqual({
    error: "invalid_token",
    error_description: sentence,
    decision_id: sampleContext.decisionId,
  });
  const challenge = verdict.headers.find(({ header }) => header?.key === "www-authenticate")?.header?.value;
  expect(challenge).toBe(`Bearer realm="keyward", error="invalid_token", error_description="${sentence}"`);
});
