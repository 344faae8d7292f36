import type { KeyStore } from "../key/record.ts";
import { unlimitedKey } from "../key/unlimited.ts";

/** The id of the only key there is. The same on every run, so that logs of two runs can be read together. */
export const SINGLE_KEY_ID = "key_single";

/** A store in memory that holds one key, by the digest of its secret. The key grants every scope and nothing changes it. */
export function createSingleKeyStore(digest: string): KeyStore {
  const record = unlimitedKey(SINGLE_KEY_ID, ["*"]);
  return { find: (asked) => (asked === digest ? record : undefined) };
}
