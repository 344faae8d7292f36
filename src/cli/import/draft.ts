import { hash } from "node:crypto";
import { FOREIGN_FORM, isForeignSecret } from "../../key/foreign.ts";
import { ADMIN_PREFIX } from "../../key/secret.ts";

/** What a source tells of one key, in our words. The secret is gone by then: there is only its hash. */
export interface Draft {
  readonly line: number;
  readonly hash: SecretHash;
  readonly start?: string | undefined;
  readonly name?: string | undefined;
  readonly tenant?: string | undefined;
  /** `user/…` and the like, or only what follows it where the source has users, consumers or clients of its own. */
  readonly owner?: string | { readonly id: string; readonly type: OwnerType } | undefined;
  readonly note?: string | undefined;
  readonly scopes?: readonly string[];
  readonly paths?: readonly string[];
  readonly methods?: readonly string[];
  readonly cidrs?: readonly string[];
  readonly notBefore?: Date | undefined;
  readonly expiresAt?: Date | undefined;
  readonly rateLimit?: { readonly requests: number; readonly windowMs: number } | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly disabled?: boolean | undefined;
  /** What the source limits and Keyward cannot: without it the key would open more than it did. */
  readonly lost?: readonly string[];
  /** The secret is so short that it can be guessed. */
  readonly short?: boolean;
}

export type OwnerType = "user" | "service" | "project";

/** A hash of a whole secret, as ImportedKey holds it. */
export type SecretHash =
  | { readonly case: "sha256"; readonly value: Uint8Array<ArrayBuffer> }
  | { readonly case: "sha512"; readonly value: Uint8Array<ArrayBuffer> };

/** One record of a file. */
export interface Entry {
  /** Where it begins, from 1. */
  readonly line: number;
  /** The list in which it stands, such as "consumers"; empty: the file itself. */
  readonly list: string;
  readonly value: unknown;
}

/** Thrown for a record that cannot be a key; the message is a phrase or sentence and holds no secret. */
export class EntryProblem extends Error {
  readonly code = "ENTRY";
}

/** Thrown where the file as a whole cannot be read; the message follows its name. */
export class FileProblem extends Error {
  readonly code = "FILE";
}

/** 16 characters of base62 are 95 bits; what is shorter was hardly drawn at random. */
const SHORT = 16;

/** How much of a secret is told: a quarter of it, and no more than of our own. */
const SHOWN_PART = 4;
const SHOWN = 8;

/** What is kept of a secret that the source gives in the clear. Throws EntryProblem where nobody could present it. */
export function fromSecret(secret: string): Pick<Draft, "hash" | "start" | "short"> {
  if (!isForeignSecret(secret))
    throw new EntryProblem(`the key has ${secret.length} characters; it must be ${FOREIGN_FORM}`);
  if (REFERENCE.test(secret)) throw new EntryProblem("the key stands elsewhere: this is a reference to it");
  if (secret.startsWith(`${ADMIN_PREFIX}_`))
    throw new EntryProblem("an admin key of Keyward opens nothing on the data plane");
  return {
    hash: { case: "sha256", value: Uint8Array.from(hash("sha256", secret, "buffer")) },
    start: secret.slice(0, Math.min(SHOWN, Math.floor(secret.length / SHOWN_PART))),
    short: secret.length < SHORT,
  };
}

/** How Kong and APISIX refer to their vaults and to the environment. */
const REFERENCE = /^(\{vault:\/\/.*\}|\$(env|secret):\/\/.*)$/i;
