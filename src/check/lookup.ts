import type { KeyRecord, KeyStore } from "../key/record.ts";

/** SHA-256 of an ASCII text, as 64 lower-case hex digits. */
export type Digest = (secret: string) => string;

/** Thrown where the store could not tell whether a key exists. The `cause` says why. */
export class StoreUnavailableError extends Error {
  readonly code = "STORE_UNAVAILABLE";

  constructor(cause: unknown) {
    super("the key store is not available", { cause });
    this.name = "StoreUnavailableError";
  }
}

/**
 * Returns the record of the key that has this secret, or undefined where no key has. Throws StoreUnavailableError where
 * the store cannot tell. Past this line the secret does not exist: the store, its cache and all that follows see the
 * digest or the record.
 */
export function lookUp(secret: string, digest: Digest, store: KeyStore): KeyRecord | undefined {
  const hash = digest(secret);
  try {
    return store.find(hash);
  } catch (error) {
    throw new StoreUnavailableError(error);
  }
}
