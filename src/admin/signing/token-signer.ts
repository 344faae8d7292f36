import { randomBytes } from "node:crypto";
import { ID_RANDOM_BYTES, writeId } from "../../key/id.ts";
import type { SigningAlg } from "../../key/signing-alg.ts";
import { MAX_TOKEN_LENGTH } from "../../key/token.ts";
import type { ScopeGraph } from "../../policy/scope-graph.ts";
import type { Actor } from "../../store/audit.ts";
import { secretDigest } from "../../store/digest.ts";
import type { Owners } from "../../store/owners.ts";
import { invalidArgument } from "../errors.ts";
import { type NewKeyFields, previewOf } from "../keys/key-fields.ts";
import type { NewSecret } from "../keys/new-secret.ts";
import type { SigningKeyRing } from "./signing-key-ring.ts";
import { type TokenParties, tokenClaims, tokenHeader, tokenLength } from "./token-claims.ts";

/** A token, all that is kept of it, and what has signed it. */
interface SignedSecret extends NewSecret {
  readonly signedBy: string;
}

/** Signs keys. Each call throws INVALID_ARGUMENT where the token would be too long, and what `SigningKeyRing` throws. */
export interface TokenSigner {
  /** Throws what `sign` would throw. Of an opaque key nothing is asked. */
  judge(fields: NewKeyFields, nowMs: number): void;
  /**
   * Signs a token and hands it to `keep`, which keeps the key in one step, without waiting for anything. Where the signing
   * key was replaced while it signed, the new one signs, and `keep` is called again.
   */
  sign<Result>(
    fields: NewKeyFields & { readonly alg: SigningAlg },
    actor: Actor,
    nowMs: number,
    keep: (made: SignedSecret) => Result,
  ): Promise<Result>;
}

/** How much of the signature may be shown, to recognise a key in a list: 6 bytes of 64 or more. */
const START_CHARACTERS = 8;

/** As long as every id and kid, for the length of a token that has neither yet. */
const PLACEHOLDER_ID = writeId("key", 0, new Uint8Array(ID_RANDOM_BYTES));
const PLACEHOLDER_KID = writeId("kwsk", 0, new Uint8Array(ID_RANDOM_BYTES));

/** Makes what signs keys for the parties, with the scopes that the owners in the store let them have. */
export function createTokenSigner(
  ring: SigningKeyRing,
  store: Pick<Owners, "ownerOf">,
  { effectiveScopes }: Pick<ScopeGraph, "effectiveScopes">,
  parties: TokenParties,
): TokenSigner {
  const claimsOf = (id: string, fields: NewKeyFields, nowMs: number) => {
    const { tenant, owner = "" } = fields;
    const ownerLimits = store.ownerOf({ tenant, name: owner });
    const record = { ...previewOf(fields, { name: "", source: "" }, nowMs), ownerLimits };
    return tokenClaims(id, fields, effectiveScopes(record), parties, nowMs);
  };

  const judge: TokenSigner["judge"] = (fields, nowMs) => {
    const { alg } = fields;
    if (alg === undefined) return;
    ring.requireUsable(alg);
    const length = tokenLength(tokenHeader(PLACEHOLDER_KID, alg), claimsOf(PLACEHOLDER_ID, fields, nowMs));
    if (length <= MAX_TOKEN_LENGTH) return;
    const description = `would make a token of ${length} characters; it must have <= ${MAX_TOKEN_LENGTH}`;
    // What else a token holds is short.
    throw invalidArgument([{ field: fields.inheritsScopes ? "inherit_scopes" : "scopes", description }]);
  };

  return {
    judge,
    async sign(fields, actor, nowMs, keep) {
      judge(fields, nowMs);
      const { alg } = fields;
      const id = writeId("key", nowMs, randomBytes(ID_RANDOM_BYTES));
      const { SignJWT } = await import("jose");
      for (;;) {
        const { kid, privateKey } = await ring.use(alg, actor, nowMs);
        const claims = claimsOf(id, fields, nowMs);
        const secret = await new SignJWT({ ...claims }).setProtectedHeader(tokenHeader(kid, alg)).sign(privateKey);
        try {
          return keep({ id, secret, digest: secretDigest(secret), start: startOf(secret), signedBy: kid });
        } catch (error) {
          if (ring.isInUse(alg, kid)) throw error;
        }
      }
    },
  };
}

/** "jwt_" and the first characters of the signature: the parts before it begin alike in many tokens. */
function startOf(token: string): string {
  const signature = token.lastIndexOf(".") + 1;
  return `jwt_${token.slice(signature, signature + START_CHARACTERS)}`;
}
