import { expect, test } from "vitest";
import { ID_RANDOM_BYTES, writeId } from "../../src/key/id.ts";

const highest = new Uint8Array(ID_RANDOM_BYTES).fill(0xff);
const lowest = new Uint8Array(ID_RANDOM_BYTES);

test.each([
  ["a key", "key", 1_700_000_000_000, highest, "key_0Tvcokgi0LygHa16AHYF"],
  ["an admin key", "akey", 1_700_000_000_000, highest, "akey_0Tvcokgi0LygHa16AHYF"],
  ["a signing key", "kwsk", 1_700_000_000_000, highest, "kwsk_0Tvcokgi0LygHa16AHYF"],
  ["the beginning of time", "key", 0, lowest, "key_00000000000000000000"],
] as const)("the id of %s is its kind, its time and its random bytes", (_title, kind, nowMs, random, id) => {
  expect(writeId(kind, nowMs, random)).toBe(id);
});

test("an id sorts after every id of an earlier millisecond, whatever the random bytes", () => {
  const times = [0, 1, 61, 62, 1_699_999_999_999, 1_700_000_000_000, 4_102_444_800_000];
  const ids = times.flatMap((nowMs) => [writeId("key", nowMs, lowest), writeId("key", nowMs, highest)]);
  expect(ids.toSorted()).toEqual(ids);
});

test("ids of one millisecond differ in the last bit of their random bytes", () => {
  const other = lowest.with(ID_RANDOM_BYTES - 1, 1);
  expect(writeId("key", 5, other)).not.toBe(writeId("key", 5, lowest));
});
