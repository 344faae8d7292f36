import { base62Value, bytesToBigInt, isBase62, toBase62 } from "./base62.ts";
import { crc32 } from "./crc32.ts";
import { holdsToken } from "./token.ts";

/** The prefix of a data-plane key where nothing else is asked for. */
export const DEFAULT_PREFIX = "kw";

/** The prefix of admin keys, which no data-plane key may have. */
export const ADMIN_PREFIX = "kwadm";

/** 256 random bits: guessing is hopeless at any speed, so a fast hash at rest is enough. */
export const SECRET_RANDOM_BYTES = 32;

/** 62^43 is the first power of 62 above 2^256. */
const RANDOM_DIGITS = 43;

/** 62^6 is the first power of 62 above 2^32. */
const CRC_DIGITS = 6;

/** How many characters follow the prefix and its underscore. */
export const BODY_LENGTH = RANDOM_DIGITS + CRC_DIGITS;

/** Long enough for `tenant_environment`, short enough that a whole key stays under 100 characters. */
const MAX_PREFIX_LENGTH = 32;

/** The longest text that can be a key: a prefix, the underscore, 43 random digits and 6 of the CRC. */
export const MAX_SECRET_LENGTH = MAX_PREFIX_LENGTH + 1 + BODY_LENGTH;

/** How much of the secret's random part is kept readable, to recognise a key in a list. Leaves 208 bits unknown. */
const START_DIGITS = 8;

/** What `isPrefix` asks for, in words that follow "must be". */
export const PREFIX_FORM = `1 to ${MAX_PREFIX_LENGTH} of a-z, 0-9 and "_", no "_" at either end or twice in a row, and not ${ADMIN_PREFIX}`;

/**
 * Whether keys of the data plane may begin with it: 1 to 32 of a-z, 0-9 and `_`, no `_` at either end or twice in a row, so
 * that people read it as one, and not what admin keys begin with.
 */
export function isPrefix(text: string): boolean {
  if (text.length > MAX_PREFIX_LENGTH || text === ADMIN_PREFIX || text.startsWith(`${ADMIN_PREFIX}_`)) return false;
  return /^[a-z0-9]+(_[a-z0-9]+)*$/.test(text);
}

/**
 * Writes a new secret: `<prefix>_<43 base62 digits of 256 random bits><6 base62 digits of the CRC-32 of all before>`.
 * `random` must be 32 bytes from a cryptographic source.
 */
export function writeSecret(prefix: string, random: Uint8Array): string {
  const unchecked = `${prefix}_${toBase62(bytesToBigInt(random), RANDOM_DIGITS)}`;
  return unchecked + toBase62(BigInt(crc32(unchecked)), CRC_DIGITS);
}

/**
 * Whether a text has the form of a key, checksum included. Says nothing about whether such a key exists: it spares the
 * hash and the look-up for what was truncated, mistyped or made up. Takes time in the length of a key, however long the
 * text is.
 */
export function isSecret(text: string): boolean {
  const { length } = text;
  if (length > MAX_SECRET_LENGTH || length < BODY_LENGTH + 2) return false;
  const underscore = length - BODY_LENGTH - 1;
  const checksum = length - CRC_DIGITS;
  if (text.charCodeAt(underscore) !== UNDERSCORE) return false;
  for (let index = 0; index < underscore; index++) if (!isPrefixCharacter(text.charCodeAt(index))) return false;
  for (let index = underscore + 1; index < length; index++) if (!isBase62(text.charCodeAt(index))) return false;
  let written = 0;
  for (let index = checksum; index < length; index++) written = written * 62 + base62Value(text.charCodeAt(index));
  return written === crc32(text, checksum);
}

/**
 * Whether a key, an opaque or a signed one, stands anywhere in a text, be it in the middle of a word: `KEY_kw_…`. What
 * follows a prefix is of one length, so only where the prefix begins has to be tried.
 */
export function holdsSecret(text: string): boolean {
  for (const { index } of text.matchAll(BODIES)) {
    const end = index + 1 + BODY_LENGTH;
    for (let start = index - 1; start >= 0 && start >= index - MAX_PREFIX_LENGTH; start--) {
      if (isSecret(text.slice(start, end))) return true;
    }
  }
  return holdsToken(text);
}

const BODIES = new RegExp(`_[0-9A-Za-z]{${BODY_LENGTH}}`, "g");

const UNDERSCORE = 0x5f;

/** Whether a character may stand in a prefix. */
export function isPrefixCharacter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === UNDERSCORE;
}

/** The part of a well-formed secret that may be shown: its prefix and the first eight characters after it. */
export function startOf(secret: string): string {
  return secret.slice(0, secret.length - BODY_LENGTH + START_DIGITS);
}
