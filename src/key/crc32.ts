/** The reversed polynomial of CRC-32 as IEEE 802.3 (and zip, and `zlib.crc32`) has it. */
const POLYNOMIAL = 0xedb88320;

/** Signed, as all of the arithmetic below: V8 computes with 32-bit integers, and not with doubles. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** What a byte does to the checksum one, two and three bytes after it: "slicing by 4" (Kounavis and Berry, 2008). */
const TABLE_1 = TABLE.map(shifted);
const TABLE_2 = TABLE_1.map(shifted);
const TABLE_3 = TABLE_2.map(shifted);

function shifted(value: number): number {
  return (value >>> 8) ^ (TABLE[value & 0xff] as number);
}

/**
 * CRC-32 (IEEE) of the first `length` characters of a text, from 0 to 2^32 - 1. They must be ASCII. Four at once, since each
 * step waits for the one before: a third of the time for a key.
 */
export function crc32(text: string, length = text.length): number {
  let running = -1;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const four =
      running ^
      (text.charCodeAt(at) |
        (text.charCodeAt(at + 1) << 8) |
        (text.charCodeAt(at + 2) << 16) |
        (text.charCodeAt(at + 3) << 24));
    running =
      (TABLE_3[four & 0xff] as number) ^
      (TABLE_2[(four >>> 8) & 0xff] as number) ^
      (TABLE_1[(four >>> 16) & 0xff] as number) ^
      (TABLE[four >>> 24] as number);
  }
  for (; at < length; at++) running = shifted(running ^ text.charCodeAt(at));
  return ~running >>> 0;
}
