import { hash } from "node:crypto";

/** The digest under which a secret is kept (`check/lookup.ts`). */
export function secretDigest(secret: string, hashing?: "sha512"): string {
  return hash("sha256", hashing === undefined ? secret : hash("sha512", secret, "buffer"), "hex");
}

/** A SHA-256 as the rest of the program writes it. */
const hexDigest = /^[0-9a-f]{64}$/;

/** The 32 bytes of a digest in hex. Throws where it is none: a shortened one would be looked up, and stored, as another. */
export function digestBytes(hex: string): Buffer {
  if (!hexDigest.test(hex)) throw new RangeError("a digest is 64 lower-case hex digits");
  return Buffer.from(hex, "hex");
}
