/** The issuer's keys cannot be had: nobody can tell whether a token is good. */
export class IssuerUnavailableError extends Error {
  readonly code = "issuer_unavailable";
}
