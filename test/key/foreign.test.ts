import { expect, test } from "vitest";
import { isForeignSecret } from "../../src/key/foreign.ts";

test.each<[string, string, boolean]>([
  ["one character", "x", true],
  ["nothing", "", false],
  ["512 characters", "x".repeat(512), true],
  ["513 characters", "x".repeat(513), false],
  ["all visible ASCII but the comma", "!\"#$%&'()*+-./09:;<=>?@AZ[\\]^_`az{|}~", true],
  ["a comma", "a,b", false],
  ["a space", "a b", false],
  ["a tab", "a\tb", false],
  ["a NUL", "a\0", false],
  ["a DEL", "a\x7f", false],
  ["a letter beyond ASCII", "ä", false],
])("%s: %j is %s", (_, text, expected) => {
  expect(isForeignSecret(text)).toBe(expected);
});
