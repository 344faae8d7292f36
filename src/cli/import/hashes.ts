import { EntryProblem, type SecretHash } from "./draft.ts";

const BYTES = { sha256: 32, sha512: 64 } as const;

/** In hex; in base64 (RFC 4648 §4) or base64url (§5), with or without padding. No two of them have one length. */
const FORMS = [
  { algorithm: "sha256", encoding: "hex", pattern: /^[0-9A-Fa-f]{64}$/ },
  { algorithm: "sha512", encoding: "hex", pattern: /^[0-9A-Fa-f]{128}$/ },
  { algorithm: "sha256", encoding: "base64", pattern: /^[0-9A-Za-z+/_-]{43}=?$/ },
  { algorithm: "sha512", encoding: "base64", pattern: /^[0-9A-Za-z+/_-]{86}(==)?$/ },
] as const;

/** Reads a SHA-256 or SHA-512 as text. Throws EntryProblem, without the text: it may be the key itself. */
export function readHash(text: string): SecretHash {
  for (const { algorithm, encoding, pattern } of FORMS) {
    if (!pattern.test(text)) continue;
    // Node reads base64url as base64.
    const value = Uint8Array.from(Buffer.from(text, encoding));
    if (value.length === BYTES[algorithm]) return { case: algorithm, value };
  }
  throw new EntryProblem(
    `the hash has ${text.length} characters; it must be a SHA-256 or SHA-512 in hex, base64 or base64url`,
  );
}
