import { randomBytes } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { CryptoKey, JWK } from "jose";
import { ID_RANDOM_BYTES, writeId } from "../../key/id.ts";
import type { SigningAlg } from "../../key/signing-alg.ts";
import type { Actor } from "../../store/audit.ts";
import type { NewSigningKey, StoredSigningKey } from "../../store/signing-keys.ts";
import type { Store } from "../../store/store.ts";
import { apiError } from "../errors.ts";
import { publicMembers } from "./public-jwk.ts";
import { createSealedKeys } from "./sealed-keys.ts";
import type { Sealer } from "./sealing.ts";

/** A signing key with its private half. */
interface OpenedSigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey | Uint8Array;
}

/**
 * The keys that sign keys, of which the store has the private halves encrypted. Each call but `unusable` throws
 * FAILED_PRECONDITION where there is no encryption key, or where it is the wrong one; then nothing was written.
 */
export interface SigningKeyRing {
  /** Throws what `use` would throw, and makes nothing. */
  requireUsable(alg: SigningAlg): void;
  /** What signs with an algorithm; made on first use. */
  use(alg: SigningAlg, actor: Actor, nowMs: number): Promise<OpenedSigningKey>;
  /** Whether it signs with the algorithm still. */
  isInUse(alg: SigningAlg, kid: string): boolean;
  /** Puts a new one in the place of the one in use, whatever that is encrypted with. */
  rotate(alg: SigningAlg, withdrawEarlier: boolean, actor: Actor, nowMs: number): Promise<StoredSigningKey>;
  /** Those in use that cannot sign. */
  unusable(): readonly StoredSigningKey[];
}

/**
 * `encryptionKey` has 32 bytes; undefined: nothing can be signed. Private halves are in memory only while they sign, and what
 * signs is not loaded before that.
 */
export function createSigningKeyRing(store: Store, encryptionKey: Uint8Array | undefined): SigningKeyRing {
  const { sealer, open, unusable } = createSealedKeys(store, encryptionKey);

  const requireSealer = (): Sealer => {
    if (sealer === undefined) throw noEncryptionKey();
    return sealer;
  };
  const requireUsable = (alg: SigningAlg): void => {
    requireSealer();
    const isMade = store.signingKeyInUse(alg) !== undefined;
    // The first of an algorithm is not made beside others that the encryption key does not open: it is a mistaken one.
    const locked = unusable().find((key) => !isMade || key.alg === alg);
    if (locked !== undefined) throw wrongEncryptionKey(locked);
  };
  const make = async (alg: SigningAlg, actor: Actor, nowMs: number) =>
    store.createSigningKey(await newSigningKey(alg, requireSealer(), nowMs), actor, nowMs);

  return {
    requireUsable,
    unusable,

    async use(alg, actor, nowMs) {
      requireUsable(alg);
      const key = store.signingKeyInUse(alg) ?? (await make(alg, actor, nowMs));
      const privateJwk = open(key);
      // Another program on this database was faster to make it, with another encryption key.
      if (privateJwk === undefined) throw wrongEncryptionKey(key);
      const { importJWK } = await import("jose");
      return { kid: key.kid, privateKey: await importJWK(JSON.parse(privateJwk) as JWK, alg) };
    },

    isInUse: (alg, kid) => store.signingKeyInUse(alg)?.kid === kid,

    // This is also the way out for those who have lost the encryption key.
    rotate: async (alg, withdrawEarlier, actor, nowMs) =>
      store.rotateSigningKey(await newSigningKey(alg, requireSealer(), nowMs), withdrawEarlier, actor, nowMs),
  };
}

/** A new pair of keys, whose private half leaves this function sealed only. RSA has 2,048 bits, the default of jose. */
async function newSigningKey(alg: SigningAlg, sealer: Sealer, nowMs: number): Promise<NewSigningKey> {
  const kid = writeId("kwsk", nowMs, randomBytes(ID_RANDOM_BYTES));
  const { exportJWK, generateKeyPair } = await import("jose");
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const sealedPrivateJwk = sealer.seal(kid, JSON.stringify(await exportJWK(privateKey)));
  return { kid, alg, publicJwk: publicMembers(await exportJWK(publicKey)), sealedPrivateJwk };
}

function noEncryptionKey() {
  return apiError(
    Code.FailedPrecondition,
    "NO_ENCRYPTION_KEY",
    "signed keys (JWT) need an encryption key, so that the database file alone does not give away what signs them: put " +
      "32 random bytes (openssl rand -base64 32) into a file and name it in encryption_key_file",
  );
}

function wrongEncryptionKey({ kid, alg }: Pick<StoredSigningKey, "kid" | "alg">) {
  return apiError(
    Code.FailedPrecondition,
    "WRONG_ENCRYPTION_KEY",
    `the encryption key is not the one with which the signing key ${kid} (${alg}) was made: configure that one ` +
      `(encryption_key_file), or put a new signing key in its place (keyward signing-keys rotate --alg ${alg})`,
    { kid, alg },
  );
}
