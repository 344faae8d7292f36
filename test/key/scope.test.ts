import { describe, expect, test } from "vitest";
import { covers, isScope, isWildcard } from "../../src/key/scope.ts";

describe("a granted scope", () => {
  test.each([
    ["orders:read", "orders:read", true],
    ["orders:read", "orders:reaD", false],
    ["orders:read", "orders:rea", false],
    ["orders:read", "orders:read2", false],
    ["orders", "orders:read", false],
    ["orders:read", "orders", false],
    ["orders:*", "orders:read", true],
    ["orders:*", "orders:read:all", true],
    ["orders:*", "orders:r", true],
    ["orders:*", "orders:", false],
    ["orders:*", "orders", false],
    ["orders:*", "ordersx:read", false],
    ["orders:*", "order:read", false],
    ["orders:*", "Orders:read", false],
    ["orders:*", "orders:*", true],
    ["a:b:*", "a:b:c", true],
    ["a:b:*", "a:c", false],
    ["*", "anything", true],
    ["*", "a:b:c", true],
    ["*", "*", true],
    ["orders:read", "*", false],
    ["orders:read", "orders:*", false],
    ["orders:*", "*", false],
  ])("%j covers %j: %s", (granted, required, covered) => {
    expect(covers(granted, required)).toBe(covered);
  });
});

describe("a text as a scope", () => {
  test.each([
    ["one letter", "a", true],
    ["nothing", "", false],
    ["128 characters", "a".repeat(128), true],
    ["129 characters", "a".repeat(129), false],
    ["segments", "orders:read:all", true],
    ["the visible ends of ASCII", "!~", true],
    ["a space", "a b", false],
    ["a tab", "a\tb", false],
    ["DEL", "a\x7f", false],
    ["a letter that is not ASCII", "caf\u00e9", false],
    ["a quotation mark", 'a"b', false],
    ["a backslash", "a\\b", false],
    ["a comma", "a,b", false],
    ["a semicolon", "a;b", true],
    ["an asterisk alone", "*", true],
    ["an asterisk as the last segment", "orders:*", true],
    ["an asterisk at the end of a segment", "orders*", false],
    ["an asterisk in the middle", "orders:*:read", false],
    ["an asterisk at the beginning", "*:read", false],
    ["two asterisks", "orders:**", false],
    ["two wild segments", "*:*", false],
  ])("%s: %j can be a scope is %s", (_title, text, possible) => {
    expect(isScope(text)).toBe(possible);
  });

  test.each([
    ["*", true],
    ["orders:*", true],
    ["orders:read", false],
    ["orders", false],
  ])("%j grants what is below it: %s", (scope, wild) => {
    expect(isWildcard(scope)).toBe(wild);
  });
});
