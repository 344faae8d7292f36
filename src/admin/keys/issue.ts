import type { Actor } from "../../store/audit.ts";
import type { StoredKey } from "../../store/key-row.ts";
import type { NewKey } from "../../store/keys.ts";
import type { TokenSigner } from "../signing/token-signer.ts";
import type { NewKeyFields } from "./key-fields.ts";
import { type NewSecret, newSecret } from "./new-secret.ts";

/** A key as it is kept. */
interface Issued {
  readonly key: StoredKey;
  /** Empty where an earlier request has made the key: it was shown then. */
  readonly secret: string;
}

/** What is kept of a secret. */
type Identity = Omit<NewSecret, "secret"> & Pick<NewKey, "signedBy">;

/**
 * Makes the secret of a new key: one of a prefix, or a signed token. `keep` keeps the key, or finds the one that an earlier
 * request has made; signing takes time, in which a retry may be faster, so it looks again. `keep` may be called more than
 * once, but keeps once. Throws as the signer does.
 */
export async function issue(
  fields: NewKeyFields,
  prefix: string,
  signer: TokenSigner,
  actor: Actor,
  nowMs: number,
  keep: (identity: Identity) => StoredKey,
): Promise<Issued> {
  const kept = ({ secret, ...identity }: NewSecret & Identity): Issued => {
    const key = keep(identity);
    return { key, secret: key.id === identity.id ? secret : "" };
  };
  const { alg } = fields;
  return alg === undefined
    ? kept(newSecret("key", prefix, nowMs))
    : signer.sign({ ...fields, alg }, actor, nowMs, kept);
}
