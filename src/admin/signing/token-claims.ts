import type { SigningAlg } from "../../key/signing-alg.ts";
import type { NewKeyFields } from "../keys/key-fields.ts";

/** Who issues tokens, and for whom. */
export interface TokenParties {
  readonly issuer: string;
  readonly audience: string;
}

/** What a token says of its key (RFC 7519 §4); times are seconds since 1970. */
export type TokenClaims = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * What the token of a key says. Back ends that verify it by themselves see this and no more: neither paths, methods,
 * networks and rate limit, nor what becomes of the key later. `scopes` are those that it grants now, its owner's list
 * applied. Times of the key are whole seconds.
 */
export function tokenClaims(
  id: string,
  { tenant, owner, notBeforeMs, expiresAtMs }: NewKeyFields,
  scopes: readonly string[],
  { issuer, audience }: TokenParties,
  nowMs: number,
): TokenClaims {
  return {
    iss: issuer,
    sub: owner ?? id,
    aud: audience,
    iat: Math.floor(nowMs / 1000),
    ...(notBeforeMs === undefined ? {} : { nbf: notBeforeMs / 1000 }),
    ...(expiresAtMs === undefined ? {} : { exp: expiresAtMs / 1000 }),
    jti: id,
    key_id: id,
    ...(tenant === undefined ? {} : { tenant }),
    scopes,
  };
}

/** The protected header of a token. `kid` comes first: the check path knows our tokens by it (`isOwnToken`). */
export function tokenHeader(kid: string, alg: SigningAlg) {
  return { kid, typ: "JWT", alg };
}

/** How long a signature is: a number modulo 2,048 bits, and twice two numbers of 256 bits. */
const SIGNATURE_BYTES: Readonly<Record<SigningAlg, number>> = { RS256: 256, ES256: 64, EdDSA: 64 };

/** How many characters the token will have, before it is signed. */
export function tokenLength(header: ReturnType<typeof tokenHeader>, claims: TokenClaims): number {
  const parts = [header, claims].map((part) => Buffer.byteLength(JSON.stringify(part)));
  return [...parts, SIGNATURE_BYTES[header.alg]].reduce((sum, bytes) => sum + base64UrlLength(bytes), DOTS);
}

const DOTS = 2;

/** RFC 4648 §5, without padding. */
function base64UrlLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
