import type { KeyRecord, KeyStore } from "../key/record.ts";
import { isSecret } from "../key/secret.ts";

/**
 * SHA-256 of an ASCII text, as 64 lower-case hex digits; with "sha512", of the 64 bytes of the text's SHA-512. Never of its
 * hex: then whoever knows the hash could present it as a key.
 */
export type Digest = (secret: string, hashing?: "sha512") => string;

/** Thrown where the store could not tell whether a key exists. The `cause` says why. */
export class StoreUnavailableError extends Error {
  readonly code = "STORE_UNAVAILABLE";

  constructor(cause: unknown) {
    super("the key store is not available", { cause });
    this.name = "StoreUnavailableError";
  }
}

/**
 * Returns the record of the key that has this secret, or undefined where no key has. What is no key by its SHA-256 is looked
 * for by its SHA-512 as well, if keys were imported that are known by that only, and it is not of our own form. Throws StoreUnavailableError where
 * the store cannot tell. Past this line the secret does not exist: the store, its cache and all that follows see the
 * digest or the record.
 */
export function lookUp(secret: string, digest: Digest, store: KeyStore): KeyRecord | undefined {
  const record = find(digest(secret), store);
  if (record !== undefined || store.foreignKeys?.() !== "sha512" || isSecret(secret)) return record;
  return find(digest(secret, "sha512"), store);
}

function find(hash: string, store: KeyStore): KeyRecord | undefined {
  try {
    return store.find(hash);
  } catch (error) {
    throw new StoreUnavailableError(error);
  }
}
