import fc from "fast-check";
import { expect, test } from "vitest";
import { BASE62_DIGITS, bytesToBigInt, isBase62, toBase62 } from "../../src/key/base62.ts";

test.each([
  ["zero", 0n, 1, "0"],
  ["the last decimal digit", 9n, 1, "9"],
  ["the first capital", 10n, 1, "A"],
  ["the last capital", 35n, 1, "Z"],
  ["the first small letter", 36n, 1, "a"],
  ["the last small letter", 61n, 1, "z"],
  ["the first number of two digits", 62n, 2, "10"],
  ["a number padded in front", 62n, 6, "000010"],
  [
    "the largest number of 43 digits that 256 bits reach",
    2n ** 256n - 1n,
    43,
    "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1",
  ],
  ["the largest sum of 32 bits", 2n ** 32n - 1n, 6, "4gfFC3"],
])("%s is written as its digits", (_title, value, width, digits) => {
  expect(toBase62(value, width)).toBe(digits);
});

test("written numbers of one width sort as the numbers do", () => {
  const number = fc.bigInt(0n, 62n ** 12n - 1n);
  fc.assert(
    fc.property(number, number, (one, other) => {
      expect(toBase62(one, 12) < toBase62(other, 12)).toBe(one < other);
    }),
  );
});

test("what is written reads back as the same number", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (value) => {
      const digits = [...toBase62(value, 43)];
      expect(digits).toHaveLength(43);
      expect(digits.reduce((sum, digit) => sum * 62n + BigInt(BASE62_DIGITS.indexOf(digit)), 0n)).toBe(value);
    }),
  );
});

test("of all characters, the 62 digits and no others are digits", () => {
  const digits = Array.from({ length: 0x250 }, (_, code) => code).filter(isBase62);
  expect(String.fromCharCode(...digits)).toBe(BASE62_DIGITS);
});

test.each([
  ["no bytes", [], 0n],
  ["one byte", [0xff], 255n],
  ["bytes with the most significant first", [1, 0], 256n],
  ["leading zeros", [0, 0, 1], 1n],
])("%s are read as one number", (_title, bytes, value) => {
  expect(bytesToBigInt(Uint8Array.from(bytes))).toBe(value);
});
