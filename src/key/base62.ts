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

/** Whether a character code is one of the 62 digits. */
export function isBase62(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/** Reads bytes as one big-endian integer. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
