import { createHmac, timingSafeEqual } from "node:crypto";

/** Enough that nobody guesses one: a token only has to be ours. */
const MAC_BYTES = 16;

/**
 * Writes the token of the page after an id. It is bound to the list by a MAC: a token of another database, of another
 * filter, or made up, is no token.
 */
export function writePageToken(key: Buffer, list: string, afterId: string): string {
  return Buffer.concat([mac(key, list, afterId), Buffer.from(afterId)]).toString("base64url");
}

/** The id after which the page begins; undefined where the token is not of this list. */
export function readPageToken(key: Buffer, list: string, token: string): string | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length <= MAC_BYTES || bytes.toString("base64url") !== token) return undefined;
  const afterId = bytes.subarray(MAC_BYTES).toString();
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(key, list, afterId)) ? afterId : undefined;
}

function mac(key: Buffer, list: string, afterId: string): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([list, afterId]))
    .digest()
    .subarray(0, MAC_BYTES);
}
