import { describe, expect, test } from "vitest";
import { isTenant } from "../../src/key/tenant.ts";

describe("a text can be a tenant", () => {
  test.each([
    ["a letter", "a", true],
    ["a digit", "0", true],
    ["nothing", "", false],
    ["letters and digits", "acme42", true],
    ["a capital first", "Acme", false],
    ["a capital later", "acMe", false],
    ["a hyphen inside", "ac-me", true],
    ["an underscore inside", "ac_me", true],
    ["a hyphen at the end", "acme-", true],
    ["a hyphen first", "-acme", false],
    ["an underscore first", "_acme", false],
    ["a dot", "ac.me", false],
    ["a slash", "ac/me", false],
    ["a space", "ac me", false],
    ["a line end behind it", "acme\n", false],
    ["a letter that is not ASCII", "acm\u00e9", false],
    ["the characters beside the letters and digits", "a`", false],
    ["the characters behind the letters", "a{", false],
    ["the characters before the digits", "a/", false],
    ["the characters behind the digits", "a:", false],
    ["63 characters", "a".repeat(63), true],
    ["64 characters", "a".repeat(64), false],
  ])("%s: %j is %s", (_title, text, is) => {
    expect(isTenant(text)).toBe(is);
  });
});
