import { expect, test } from "vitest";
import { addDelays, histogram } from "./delays.ts";
import { type Reading, unknownSince } from "./history.ts";

const states = [
  unknownSince(),
  { answer: "allowed v:0", begunMs: 10, acknowledgedMs: 20, enforced: true },
  { answer: "key_revoked", begunMs: 100, acknowledgedMs: 110, enforced: true },
];
const reading = (answer: string, begunMs: number, endedMs: number): Reading => {
  return { observer: "one", place: "other", begunMs, endedMs, answer };
};

test("the delays tell the first refusal and the latest allow after a key was ended", () => {
  const readings = [
    reading("unknown_key", 5, 6),
    reading("allowed v:0", 109, 111),
    reading("allowed v:0", 113, 114),
    reading("key_revoked", 114, 116),
    reading("key_revoked", 117, 118),
  ];
  const delays = { refusedMs: [], latestAllowMs: 0 };
  addDelays(delays, "other", { name: "a key", states, readings });
  expect(delays).toEqual({ refusedMs: [6], latestAllowMs: 3 });
  addDelays(delays, "same", { name: "a key", states, readings });
  expect(delays).toEqual({ refusedMs: [6], latestAllowMs: 3 });
});

test("an allow is not late where the key was opened again before its answer", () => {
  const again = { answer: "allowed v:0", begunMs: 180, acknowledgedMs: 190, enforced: true };
  const disabled = { answer: "key_disabled", begunMs: 100, acknowledgedMs: 110, enforced: true };
  const late = (reading: Reading) => {
    const delays = { refusedMs: [], latestAllowMs: 0 };
    const readings = [reading];
    addDelays(delays, "other", { name: "a key", states: [...states.slice(0, 2), disabled, again], readings });
    return delays.latestAllowMs;
  };
  expect([late(reading("allowed v:0", 170, 180)), late(reading("allowed v:0", 170, 179))]).toEqual([0, 60]);
});

test("a refusal from before a key was opened again is not that of the next time", () => {
  const disabled = (begunMs: number) => {
    return { answer: "key_disabled", begunMs, acknowledgedMs: begunMs + 10, enforced: true };
  };
  const again = { answer: "allowed v:0", begunMs: 180, acknowledgedMs: 190, enforced: true };
  const readings = [reading("key_disabled", 112, 115), reading("key_disabled", 208, 213)];
  const delays = { refusedMs: [], latestAllowMs: 0 };
  const history = { name: "a key", states: [...states.slice(0, 2), disabled(100), again, disabled(200)], readings };
  addDelays(delays, "other", history);
  expect(delays.refusedMs).toEqual([5, 3]);
});

test("the histogram counts each delay once, at the upper end of its row", () => {
  expect(histogram([-3, 0, 0.5, 1, 1.1, 100, 100.1]).filter(([, count]) => count > 0)).toEqual([
    ["before the change was answered", 2],
    ["up to 1 ms after", 2],
    ["up to 2 ms after", 1],
    ["up to 100 ms after", 1],
    ["later", 1],
  ]);
});
