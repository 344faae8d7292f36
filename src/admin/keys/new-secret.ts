import { randomBytes } from "node:crypto";
import { ID_RANDOM_BYTES, type IdKind, writeId } from "../../key/id.ts";
import { SECRET_RANDOM_BYTES, startOf, writeSecret } from "../../key/secret.ts";
import { secretDigest } from "../../store/digest.ts";

/** A new secret, and all that is kept of it. */
export interface NewSecret {
  readonly id: string;
  readonly secret: string;
  readonly digest: string;
  readonly start: string;
}

/** Draws a new secret of a prefix, from the system's random source. */
export function newSecret(kind: IdKind, prefix: string, nowMs: number): NewSecret {
  const secret = writeSecret(prefix, randomBytes(SECRET_RANDOM_BYTES));
  const id = writeId(kind, nowMs, randomBytes(ID_RANDOM_BYTES));
  return { id, secret, digest: secretDigest(secret), start: startOf(secret) };
}
