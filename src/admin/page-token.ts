import { createHmac, timingSafeEqual } from "node:crypto";
import type { Caller } from "./caller.ts";

/** Whose tenant counts. */
type Bound = Pick<Caller, "tenant">;

/** Enough that nobody guesses one: a token only has to be ours. */
const MAC_BYTES = 16;

/**
 * Writes the token of the page after an id. It is bound by a MAC to the list and to what its caller sees: a token of another
 * database, of another filter, of a caller who is bound to another tenant or to none, or made up, is no token.
 */
export function writePageToken(key: Buffer, list: string, caller: Bound, afterId: string): string {
  return Buffer.concat([mac(key, list, caller, afterId), Buffer.from(afterId)]).toString("base64url");
}

/** The id after which the page begins; undefined where the token is not of this list and caller. */
export function readPageToken(key: Buffer, list: string, caller: Bound, token: string): string | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length <= MAC_BYTES || bytes.toString("base64url") !== token) return undefined;
  const afterId = bytes.subarray(MAC_BYTES).toString();
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(key, list, caller, afterId)) ? afterId : undefined;
}

function mac(key: Buffer, list: string, { tenant }: Bound, afterId: string): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([list, tenant ?? null, afterId]))
    .digest()
    .subarray(0, MAC_BYTES);
}
