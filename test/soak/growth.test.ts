import { expect, test } from "vitest";
import { growthOf } from "./growth.ts";

/** A reading a second. */
const readings = (bytes: readonly number[], descriptors = bytes.map(() => 30)) =>
  bytes.map((each, index) => ({ atMs: index * 1_000, bytes: each, descriptors: descriptors[index] ?? 0 }));

test.each<[string, readonly number[], number]>([
  ["none where memory is flat", Array(16).fill(100), 0],
  ["none where it grew while it warmed up", [10, 20, 30, 40, 50, 60, 70, 80, ...Array(8).fill(90)], 0],
  ["none where it swings", Array.from({ length: 16 }, (_, index) => 100 + 50 * (index % 2)), 0],
  ["4 where it grows by one each second", Array.from({ length: 16 }, (_, index) => 100 + index), 4],
  ["less than none where it is given back", Array.from({ length: 16 }, (_, index) => 100 - index), -4],
])("the growth is %s", (_, bytes, grown) => {
  expect(growthOf(readings(bytes))).toEqual({ bytes: grown, bytesPerMinute: grown * 15, descriptors: 0 });
});

test("one more descriptor every four seconds is growth", () => {
  const descriptors = Array.from({ length: 16 }, (_, index) => 30 + Math.floor(index / 4));
  expect(growthOf(readings(Array(16).fill(100), descriptors)).descriptors).toBe(1);
});

test("fewer than eight readings tell nothing", () => {
  expect(() => growthOf(readings(Array(7).fill(100)))).toThrow("7 readings must be at least 8");
});
