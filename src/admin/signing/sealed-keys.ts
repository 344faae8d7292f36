import type { StoredSigningKey } from "../../store/signing-keys.ts";
import type { Store } from "../../store/store.ts";
import { createSealer, type Sealer } from "./sealing.ts";

/** The signing keys of a store, as far as an encryption key opens them. */
export interface SealedKeys {
  /** Undefined: there is no encryption key. */
  readonly sealer: Sealer | undefined;
  /** The private half, as a JWK in JSON; undefined where the encryption key does not open it, or there is none. */
  open(key: StoredSigningKey): string | undefined;
  /** Those in use that cannot sign. */
  unusable(): readonly StoredSigningKey[];
}

/** `encryptionKey` has 32 bytes; undefined: nothing can be opened. */
export function createSealedKeys(store: Store, encryptionKey: Uint8Array | undefined): SealedKeys {
  const sealer = encryptionKey && createSealer(encryptionKey, store.identity.uuid);
  const open = ({ kid, sealedPrivateJwk }: StoredSigningKey) =>
    sealedPrivateJwk === undefined ? undefined : sealer?.open(kid, sealedPrivateJwk);
  return { sealer, open, unusable: () => store.signingKeysInUse().filter((key) => open(key) === undefined) };
}
