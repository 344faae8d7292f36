import { createHash } from "node:crypto";

/** A well-formed encryption key, the same on every run and another for every name. */
export function encryptionKeyOf(name: string): string {
  return createHash("sha256").update(`encryption ${name}`).digest("base64");
}

/** The environment in which keys can be signed. */
export const SIGNING_ENV = { KEYWARD_ENCRYPTION_KEY: encryptionKeyOf("test") };
