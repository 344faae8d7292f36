import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../src/key/crc32.ts";

test.each([
  ["the check value of the CRC catalogue", "123456789", 0xcbf43926],
  ["no text at all", "", 0],
  ["a text whose sum has its highest bit set", "a", 0xe8b7be43],
  ["a text whose sum has not", "kw_", 0x20695e87],
])("%s has its well-known sum", (_title, text, sum) => {
  expect(crc32(text)).toBe(sum);
});

test("the sum of any text is the one that zlib gives", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 120 });
  fc.assert(
    fc.property(ascii, (text) => {
      expect(crc32(text)).toBe(zlibCrc32(text));
    }),
  );
});
