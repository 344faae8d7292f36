import { expect, test } from "vitest";
import { nearest } from "../../src/config/nearest.ts";

const WORDS = ["database", "mode", "listen", "log", "realm"];

test.each([
  ["databse", "database"],
  ["dtaabase", "database"],
  ["databases", "database"],
  ["nodes", undefined],
  ["mod", "mode"],
  ["relam", "realm"],
  ["forward", undefined],
  ["", undefined],
  ["database".repeat(9), undefined],
])("%j is taken for %s", (word, meant) => {
  expect(nearest(word, WORDS)).toBe(meant);
});
