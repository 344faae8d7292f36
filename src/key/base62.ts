/** The digits of every written key and id, in the order of their values and of ASCII, so that sorting text sorts numbers. */
export const BASE62_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * Writes a non-negative integer in base 62, most significant digit first, padded with `0` to `width` digits. The value
 * must fit: 62^width - 1 at the most.
 */
export function toBase62(value: bigint, width: number): string {
  let digits = "";
  for (let rest = value; digits.length < width; rest /= 62n) {
    digits = BASE62_DIGITS.charAt(Number(rest % 62n)) + digits;
  }
  return digits;
}

/** What each ASCII character is worth as a digit; -1 for all others. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => BASE62_DIGITS.indexOf(String.fromCharCode(code)));

/** What the digit with a character code is worth, from 0 to 61; -1 where the character is none. */
export function base62Value(code: number): number {
  return code < VALUES.length ? (VALUES[code] as number) : -1;
}

/** Whether a character code is one of the 62 digits. */
export function isBase62(code: number): boolean {
  return base62Value(code) >= 0;
}

/** Reads bytes as one big-endian integer. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
