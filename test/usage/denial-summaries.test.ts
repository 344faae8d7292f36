import { expect, test } from "vitest";
import type { Reason } from "../../src/check/reason.ts";
import { createDenialSummaries } from "../../src/usage/denial-summaries.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";

const tally = (keyId: string, lastDeniedAtMs: number, denials: Partial<Record<Reason, number>>, ip?: string) => ({
  keyId,
  denials: new Map(Object.entries(denials) as [Reason, number][]),
  lastDeniedAtMs,
  lastDeniedIp: ip,
});

/** A store, the summaries before it, and what the trail tells of denials. */
function counting(maxSummaries?: number) {
  const { store } = newStore();
  const lines: string[] = [];
  const log = (_: string, message: string) => void lines.push(message);
  const told = () => {
    const { events } = store.listEvents({ action: "keys.denied", order: "oldest first", limit: 100 });
    return events.map(({ target, detail }) => [target, JSON.parse(detail)]);
  };
  return { store, told, lines, summaries: createDenialSummaries(store, log, maxSummaries) };
}

test("of one key and one reason there is one event in a span, with the count of all its batches", () => {
  const { summaries, told } = counting();
  for (let batch = 1; batch <= 600; batch++) {
    summaries.note([tally("key_a", batch, { key_revoked: 1_000, rate_limited: 2 }, `192.0.2.${batch % 200}`)], batch);
  }
  expect(told()).toEqual([]);
  summaries.flush(1_000);
  const span = { fromMs: 1, toMs: 600, lastIp: "192.0.2.0" };
  expect(told()).toEqual([
    ["key_a", { reason: "key_revoked", count: 600_000, ...span }],
    ["key_a", { reason: "rate_limited", count: 1_200, ...span }],
  ]);
  summaries.note([tally("key_a", 2_000, { key_revoked: 1 })], 2_000);
  summaries.flush(3_000);
  expect(told().slice(2)).toEqual([
    ["key_a", { reason: "key_revoked", count: 1, fromMs: 2_000, toMs: 2_000, lastIp: null }],
  ]);
});

test("a span without denials leaves no event", () => {
  const { summaries, told } = counting();
  summaries.note([tally("key_a", 0, {})], 1);
  summaries.flush(2);
  expect(told()).toEqual([]);
});

test("more keys than there is room for are counted together", () => {
  const { summaries, told } = counting(2);
  for (const name of ["a", "b", "c", "d", "a"]) summaries.note([tally(`key_${name}`, 1, { path_not_allowed: 3 })], 1);
  summaries.flush(2);
  expect(told().map(([target, { count }]) => [target, count])).toEqual([
    ["key_a", 6],
    ["key_b", 3],
    ["others", 6],
  ]);
  summaries.flush(3);
  expect(told()).toHaveLength(3);
});

test("what the store cannot take is kept for the next time", () => {
  const { store, summaries, lines } = counting();
  store.createKey(sampleKey("a"), local, 1);
  summaries.note([tally("key_a", 1, { key_disabled: 4 })], 1);
  const later: unknown[] = [];
  const failing = createDenialSummaries(
    {
      recordDenials: (...args) => {
        if (later.push(args) === 1) throw new Error("busy");
      },
    },
    (_, message) => void lines.push(message),
  );
  failing.note([tally("key_a", 1, { key_disabled: 4 })], 1);
  failing.flush(2);
  failing.flush(3);
  failing.flush(4);
  expect(lines).toEqual(["denials could not be noted down in the audit trail; it is tried again"]);
  expect(later).toEqual([
    [[expect.objectContaining({ count: 4 })], 0, { name: "checks", source: "local" }, 2],
    [[expect.objectContaining({ count: 4 })], 0, { name: "checks", source: "local" }, 3],
  ]);
});
