import { bytesToBigInt, toBase62 } from "./base62.ts";

/** What an id names, by its prefix: a key, a key of an administrator, one that signs keys, or an import. */
export type IdKind = "key" | "akey" | "kwsk" | "import";

/** 62^8 milliseconds reach to the year 8888. */
const TIME_DIGITS = 8;

/** 62^12 is just over 2^71. */
const RANDOM_DIGITS = 12;

/** Eight bytes: ids need to be distinct, not unguessable, and two in one millisecond collide once in 2^64. */
export const ID_RANDOM_BYTES = 8;

/**
 * Writes a new id such as `key_0VJkQ3ab0123456789cd`: 8 base62 digits of the time, then 12 of the random bytes. Ids sort
 * by the time of creation.
 */
export function writeId(kind: IdKind, nowMs: number, random: Uint8Array): string {
  return `${kind}_${toBase62(BigInt(nowMs), TIME_DIGITS)}${toBase62(bytesToBigInt(random), RANDOM_DIGITS)}`;
}
