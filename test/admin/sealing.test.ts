import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSealer } from "../../src/admin/signing/sealing.ts";

const KEY = randomBytes(32);
const DATABASE = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const TEXT = "the private half, and more than a block of it";

const sealed = createSealer(KEY, DATABASE).seal("kwsk_1", TEXT);

test("what was sealed opens with the key, the database and the id with which it was sealed", () => {
  expect(createSealer(KEY, DATABASE).open("kwsk_1", sealed)).toBe(TEXT);
});

const otherKey = Uint8Array.from(KEY);
otherKey[31] = (otherKey[31] ?? 0) ^ 1;

test.each<[what: string, key: Uint8Array, database: string, id: string]>([
  ["another key", otherKey, DATABASE, "kwsk_1"],
  ["another database", KEY, DATABASE.replace(/7$/, "8"), "kwsk_1"],
  ["another id", KEY, DATABASE, "kwsk_2"],
])("it does not open with %s", (_, key, database, id) => {
  expect(createSealer(key, database).open(id, sealed)).toBeUndefined();
});

test("it does not open with any bit changed, nor cut at either end", () => {
  const sealer = createSealer(KEY, DATABASE);
  const changed = Array.from(sealed, (byte, index) => Buffer.from(sealed.with(index, byte ^ 1)));
  const cut = Array.from(sealed, (_, length) => [sealed.subarray(0, length), sealed.subarray(length + 1)]).flat();
  expect([...changed, ...cut].filter((bytes) => sealer.open("kwsk_1", bytes) !== undefined)).toEqual([]);
});

test("it is nonce, ciphertext and tag, holds no part of the text, and is another each time", () => {
  expect(sealed).toHaveLength(12 + TEXT.length + 16);
  const again = createSealer(KEY, DATABASE).seal("kwsk_1", TEXT);
  expect(again.subarray(0, 12)).not.toEqual(sealed.subarray(0, 12));
  expect(again.subarray(12)).not.toEqual(sealed.subarray(12));
  const pieces = Array.from({ length: TEXT.length - 3 }, (_, at) => TEXT.slice(at, at + 4));
  expect(pieces.filter((piece) => sealed.includes(piece))).toEqual([]);
});
