/**
 * With what keys are signed, the first where nothing is said: RSA PKCS#1 v1.5 of 2,048 bits, which every library verifies,
 * ECDSA on P-256 (RFC 7518 §3.3, §3.4), and Ed25519 (RFC 8037 §3.1).
 */
export const SIGNING_ALGS = ["RS256", "ES256", "EdDSA"] as const;

export type SigningAlg = (typeof SIGNING_ALGS)[number];

/** What signs where nothing is said. */
export const DEFAULT_SIGNING_ALG: SigningAlg = "RS256";

/** Whether a text names one of them; names are case-sensitive (RFC 7515 §4.1.1). */
export function isSigningAlg(text: string): text is SigningAlg {
  return SIGNING_ALGS.some((alg) => alg === text);
}
