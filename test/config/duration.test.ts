import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/config/duration.ts";

test.each([
  ["600", 600_000],
  ["0", 0],
  ["500ms", 500],
  ["5s", 5_000],
  ["10m", 600_000],
  ["24h", 86_400_000],
  ["90d", 7_776_000_000],
])("%s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "-1", "+1", "1.5", "1h30m", "10 m", "10M", "m", "1w", "never", "1e3", "9999999999999"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test.each([
  [0, "0s"],
  [1_500, "1500ms"],
  [5_000, "5s"],
  [90_000, "90s"],
  [600_000, "10m"],
  [86_400_000, "1d"],
])("%d ms are written as %s, which is read as the same", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
  expect(parseDuration(text)).toBe(ms);
});
