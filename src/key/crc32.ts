/** The reversed polynomial of CRC-32 as IEEE 802.3 (and zip, and `zlib.crc32`) has it. */
const POLYNOMIAL = 0xedb88320;

/** Signed, as all of the arithmetic below: V8 computes with 32-bit integers, and not with doubles. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** What the checksum begins with, before the first character. */
export const CRC32_START = -1;

/** The running checksum with one more character, which must be ASCII. */
export function crc32Step(running: number, code: number): number {
  return (running >>> 8) ^ (TABLE[(running ^ code) & 0xff] as number);
}

/** The finished checksum: CRC-32 (IEEE), from 0 to 2^32 - 1. */
export function crc32End(running: number): number {
  return ~running >>> 0;
}

/** CRC-32 (IEEE) of a text, which must be ASCII. */
export function crc32(text: string): number {
  let running = CRC32_START;
  for (let index = 0; index < text.length; index++) running = crc32Step(running, text.charCodeAt(index));
  return crc32End(running);
}
