import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Settings } from "../../config/settings.ts";
import { isTrustworthyUrl } from "../../config/value-type.ts";
import { createIssuerFetch } from "./issuer-fetch.ts";
import { IssuerUnavailableError } from "./issuer-unavailable.ts";

/** What a token says, once it is sure that the issuer has said it, or why it opens nothing: a word for the log. */
export type Verified = { readonly payload: JWTPayload & { sub: string; exp: number } } | { readonly refused: string };

/** Only those with a public and a private key: a shared one would let whoever verifies also sign. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** For so long keys are taken from memory: a key that the issuer has withdrawn opens for so long at the most. */
const KEYS_MAX_AGE_MS = 10 * 60 * 1000;

/** An unknown key id makes the keys be fetched anew, but not more often than this: anybody can make one up. */
const REFETCH_PAUSE_MS = 30_000;

/** Names in an audit trail: no control characters, no spaces, and no longer than OpenID Connect allows (Core §2). */
const SUBJECT = /^[\x21-\x7e]{1,255}$/;

/**
 * Makes a verifier of the issuer's tokens. It rejects with IssuerUnavailableError where the keys cannot be had. Nothing is
 * fetched before the first token comes, and nothing of the token is in what it returns or throws but the claims.
 */
export function createTokenVerifier({
  issuer,
  audience,
  jwksUrl,
  clockToleranceMs,
}: NonNullable<Settings["oidc"]>): (token: string) => Promise<Verified> {
  const issuerFetch = createIssuerFetch();
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;

  const open = async () => {
    const url = jwksUrl ?? (await discover(issuer, issuerFetch));
    const options = { cacheMaxAge: KEYS_MAX_AGE_MS, cooldownDuration: REFETCH_PAUSE_MS, [customFetch]: issuerFetch };
    return createRemoteJWKSet(new URL(url), options);
  };
  const find: JWTVerifyGetKey = async (header, token) => {
    keys ??= open();
    try {
      return await (await keys)(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      // What the issuer says of itself is asked again; its keys know by themselves when they are to be fetched.
      if (!(await isOpen())) keys = undefined;
      throw new IssuerUnavailableError("the keys of the issuer cannot be fetched", { cause: error });
    }
  };
  const isOpen = () =>
    keys?.then(
      () => true,
      () => false,
    );

  return async (token) => {
    try {
      // Without it, whichever key fits would be taken, and rotating keys would be guessing.
      if (typeof decodeProtectedHeader(token).kid !== "string") return { refused: "no kid" };
      const { payload } = await jwtVerify(token, find, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: clockToleranceMs / 1000,
        requiredClaims: ["exp", "sub"],
      });
      const { sub, exp } = payload;
      if (sub === undefined || exp === undefined || !SUBJECT.test(sub)) return { refused: "sub" };
      return { payload: { ...payload, sub, exp } };
    } catch (error) {
      if (error instanceof IssuerUnavailableError) throw error;
      return { refused: wordOf(error) };
    }
  };
}

/** Finds where the keys are (OpenID Connect Discovery 1.0 §4). */
async function discover(issuer: string, issuerFetch: ReturnType<typeof createIssuerFetch>): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await issuerFetch(url);
  const said: unknown = response.status === 200 ? await response.json() : undefined;
  const { issuer: named, jwks_uri: keys } = Object(said) as Readonly<Record<string, unknown>>;
  if (named !== issuer) throw new IssuerUnavailableError(`${url} does not speak for the issuer ${issuer}`);
  if (typeof keys !== "string" || !URL.canParse(keys) || !isTrustworthyUrl(keys.split("?", 1)[0] ?? "")) {
    throw new IssuerUnavailableError(`${url} names no https URL in jwks_uri`);
  }
  return keys;
}

/** Why a token is refused: jose's code, and the claim that it is about. Never what was presented. */
function wordOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return `${error.code} ${error.claim}`;
  }
  return error instanceof errors.JOSEError ? error.code : "malformed";
}
