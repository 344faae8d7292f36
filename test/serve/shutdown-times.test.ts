import { expect, test } from "vitest";
import { createShutdownTimes } from "../../src/serve/shutdown-times.ts";

const START_MS = 1_000;

test.each<[title: string, timeoutMs: number, graceMs: number, checksEndMs: number, writingMs: number]>([
  ["a long time: six seconds are kept for writing down", 30_000, 24_000, 25_500, 3_000],
  ["just as long as is kept at the most", 12_000, 6_000, 7_500, 3_000],
  ["the shortest time: half of it", 1_000, 500, 625, 250],
])("%s", (_, timeoutMs, graceMs, checksEndMs, writingMs) => {
  const endMs = START_MS + timeoutMs;
  const times = createShutdownTimes(timeoutMs, START_MS);
  expect([times.checksGraceMs, times.checksEndMs, times.writerEndMs]).toEqual([graceMs, START_MS + checksEndMs, endMs]);
  expect(times.usageEndMs(START_MS + checksEndMs)).toBe(endMs - writingMs);
  expect(times.writerGraceMs(endMs - writingMs)).toBe(writingMs / 2);
});

test("who finishes early leaves the time to those after, but for a disk that is stuck", () => {
  const times = createShutdownTimes(30_000, START_MS);
  expect(times.usageEndMs(START_MS)).toBe(START_MS + 3_000);
  expect(times.writerGraceMs(START_MS)).toBe(28_500);
});

test("what comes after the end has no time left", () => {
  expect(createShutdownTimes(1_000, START_MS).writerGraceMs(START_MS + 5_000)).toBe(0);
});
