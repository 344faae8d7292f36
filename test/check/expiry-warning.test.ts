import { describe, expect, test } from "vitest";
import { HeaderValueOption_HeaderAppendAction } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("a");
const DAY = 24 * 60 * 60 * 1_000;

/** What the client is told beside the upstream's answer. */
function answerTo(record: Partial<KeyRecord>, expiryWarningMs: number, path = "/") {
  const check = createSampleCheck({
    expiryWarningMs,
    policy: policyOf([{ path: "/open", access: "public" }], "authenticated"),
    store: storeOf({ [KEY]: recordOf(record) }),
  });
  return verdictOf(check({ path, headers: [["x-api-key", KEY]] }));
}

/** As above, for a key that lives on for so long. */
function toldOf(restMs: number, expiryWarningMs: number) {
  const verdict = answerTo({ expiresAtMs: sampleContext.nowMs + restMs }, expiryWarningMs);
  return headersOf({ headers: verdict.responseHeaders });
}

// The sample moment is Tue, 14 Nov 2023 22:13:20 GMT.
describe("in the last part of a key's life its answers tell of the end:", () => {
  test.each<[string, number, number, string, string]>([
    ["at the bound", 7 * DAY, 7 * DAY, "Tue, 21 Nov 2023 22:13:20 GMT", "604800"],
    ["one millisecond past it", 7 * DAY - 1, 7 * DAY, "Tue, 21 Nov 2023 22:13:19 GMT", "604799"],
    ["with two seconds left", 2_000, 7 * DAY, "Tue, 14 Nov 2023 22:13:22 GMT", "2"],
    ["with less than two seconds left", 1_999, 7 * DAY, "Tue, 14 Nov 2023 22:13:21 GMT", "1"],
    ["with one millisecond left", 1, 7 * DAY, "Tue, 14 Nov 2023 22:13:20 GMT", "0"],
    ["at the bound of one second", 1_000, 1_000, "Tue, 14 Nov 2023 22:13:21 GMT", "1"],
    ["at the bound of a year", 365 * DAY, 365 * DAY, "Wed, 13 Nov 2024 22:13:20 GMT", "31536000"],
  ])("%s", (_title, restMs, warningMs, sunset, seconds) => {
    expect(toldOf(restMs, warningMs)).toEqual({ sunset, "x-keyward-key-expires-in": seconds });
  });
});

describe("nothing is told", () => {
  test.each<[string, number, number]>([
    ["one millisecond before the bound", 7 * DAY + 1, 7 * DAY],
    ["a second before the bound of one second", 2_000, 1_000],
    ["of the last millisecond, where warnings are off", 1, 0],
    ["of an end beyond what dates can hold", 8.64e15, 7 * DAY],
  ])("%s", (_title, restMs, warningMs) => {
    expect(toldOf(restMs, warningMs)).toEqual({});
  });

  test("of a key without an end", () => {
    expect(answerTo({}, 365 * DAY)).toMatchObject({ code: 0, responseHeaders: [] });
  });

  test("on a public route, where no key is judged", () => {
    const record = { expiresAtMs: sampleContext.nowMs + 1 };
    expect(answerTo(record, DAY, "/open")).toMatchObject({ metadata: { reason: "public" }, responseHeaders: [] });
    expect(answerTo(record, DAY, "/opens").responseHeaders).toHaveLength(2);
  });

  test("of a key that has ended: the answer is a denial", () => {
    const verdict = answerTo({ expiresAtMs: sampleContext.nowMs }, DAY);
    expect(verdict).toMatchObject({ metadata: { reason: "key_expired" }, responseHeaders: [] });
    expect(Object.keys(headersOf(verdict)).toSorted()).toEqual([
      "content-type",
      "www-authenticate",
      "x-keyward-decision-id",
      "x-keyward-reason",
    ]);
  });
});

test("a warning replaces what the upstream says, and is none of the upstream's business", () => {
  const verdict = answerTo({ id: "key_1", expiresAtMs: sampleContext.nowMs + 1 }, DAY);
  const replace = { append: false, appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD };
  expect(verdict.responseHeaders.map(({ append, appendAction }) => ({ append, appendAction }))).toEqual([
    replace,
    replace,
  ]);
  expect(headersOf(verdict)).toEqual({ "x-keyward-key-id": "key_1" });
});
