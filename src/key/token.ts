import { isBase62 } from "./base62.ts";

/** Keys in headers must leave room for the other headers of a request; proxies take 60 KiB of them, or less. */
export const MAX_TOKEN_LENGTH = 8_192;

/**
 * Base64url of `{"kid":"kwsk`: twelve bytes, and so sixteen characters whatever follows. What signs our tokens writes `kid`
 * first, and the ids of its keys begin with "kwsk_".
 */
const OWN_START = "eyJraWQiOiJrd3Nr";

/**
 * Whether a text has the form of a signed token: the compact serialization of a JWS (RFC 7515 §7.1) of 8,192 characters at
 * the most, three parts of base64url of which none is empty. Whose it is, and whether it is true, is not looked at: like
 * any other key it is found by its digest. An empty signature, which `alg: none` has, is not of the form.
 */
export function isToken(text: string): boolean {
  if (text.length > MAX_TOKEN_LENGTH) return false;
  let parts = 1;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (index === start) return false;
      parts++;
      start = index + 1;
    } else if (!isBase64Url(code)) {
      return false;
    }
  }
  return parts === PARTS && start < text.length;
}

/** Whether a text has the form of a token that we sign, and no other's. Says nothing about whether we did. */
export function isOwnToken(text: string): boolean {
  return beginsAsOwnToken(text) && isToken(text);
}

/** Whether a text begins as the tokens that we sign do. */
export function beginsAsOwnToken(text: string): boolean {
  return text.startsWith(OWN_START);
}

/** Whether a token that we sign stands anywhere in a text, be it in the middle of a word. Takes time in its length. */
export function holdsToken(text: string): boolean {
  for (let start = text.indexOf(OWN_START); start !== -1; ) {
    const header = endOfPart(text, start);
    const payload = endOfPart(text, header + 1);
    const isDotted = text.charCodeAt(header) === DOT && text.charCodeAt(payload) === DOT;
    if (isDotted && payload > header + 1 && endOfPart(text, payload + 1) > payload + 1) return true;
    // What begins before the end of this header has the same header's end, and so no more of a token.
    start = text.indexOf(OWN_START, header);
  }
  return false;
}

const PARTS = 3;
const DOT = 0x2e;

/** Where the characters of base64url that begin at a position end. */
function endOfPart(text: string, start: number): number {
  let end = start;
  while (end < text.length && isBase64Url(text.charCodeAt(end))) end++;
  return end;
}

/** RFC 4648 §5, without padding. */
function isBase64Url(code: number): boolean {
  return isBase62(code) || code === 0x2d || code === 0x5f;
}
