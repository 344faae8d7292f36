import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Encrypts what must not be read from the database alone. */
export interface Sealer {
  /** Encrypts a text that belongs to an id. No two results are alike. */
  seal(id: string, text: string): Buffer;
  /** The text; undefined where it was sealed by another key, for another id or database, or has been changed since. */
  open(id: string, sealed: Buffer): string | undefined;
}

const CIPHER = "aes-256-gcm";

/** 96 bits, for which GCM is made (NIST SP 800-38D §5.2.1.1). Drawn anew each time; a store has some dozens at the most. */
const NONCE_BYTES = 12;

/** All of the tag: a shortened one is easier to forge. */
const TAG_BYTES = 16;

/**
 * Seals with an encryption key of 32 bytes, for one database: what is copied into another, or to another id, does not open.
 * Written as nonce (12 bytes), ciphertext, tag (16 bytes).
 */
export function createSealer(encryptionKey: Uint8Array, databaseId: string): Sealer {
  // Neither part holds a space.
  const boundTo = (id: string) => Buffer.from(`keyward signing key ${databaseId} ${id}`);
  return {
    seal(id, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, encryptionKey, nonce, { authTagLength: TAG_BYTES }).setAAD(boundTo(id));
      return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    open(id, sealed) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, encryptionKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(boundTo(id)).setAuthTag(sealed.subarray(-TAG_BYTES));
      const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
      try {
        return Buffer.concat([text, decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}
