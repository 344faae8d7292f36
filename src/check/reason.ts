/** How a denial is told to the client. */
export interface Refusal {
  /** The HTTP status of the answer (RFC 9110 §15). */
  readonly status: 400 | 401 | 403 | 429 | 503;
  /** The `error` of body and challenge (RFC 6749 §5.2, RFC 6750 §3.1). Absent where nothing was presented. */
  readonly error?: string;
  /** One sentence for people. Printable ASCII without `"` and `\`, since it also stands in WWW-Authenticate. */
  readonly description: string;
  /**
   * Whether the answer carries WWW-Authenticate (RFC 6750 §3): where another credential, or one at all, would help.
   */
  readonly challenge: boolean;
}

/**
 * Every reason for a denial, in the order in which a request is judged: the first that applies is the answer.
 */
export const REASONS = {
  malformed_request: refusal(400, "invalid_request", "The request cannot be judged"),
  ambiguous_host: refusal(400, "invalid_request", "The host can be read in more than one way"),
  ambiguous_path: refusal(400, "invalid_request", "The path can be read in more than one way"),
  misconfigured_route: refusal(403, "access_denied", "The route's configuration cannot be understood"),
  route_denied: refusal(403, "access_denied", "The route is closed"),
  no_credential: challenged(401, undefined, "Not authenticated"),
  ambiguous_credential: challenged(400, "invalid_request", "More than one API key was presented"),
  malformed_credential: challenged(401, "invalid_token", "The API key is malformed (truncated, or mistyped)"),
  store_unavailable: refusal(503, "temporarily_unavailable", "API keys cannot be checked at the moment"),
  unknown_key: challenged(401, "invalid_token", "The API key is not known"),
  key_revoked: challenged(401, "invalid_token", "API key has been revoked"),
  key_disabled: challenged(401, "invalid_token", "API key is disabled"),
  owner_disabled: challenged(401, "invalid_token", "API key belongs to a disabled owner"),
  key_expired: challenged(401, "invalid_token", "API key has expired"),
  key_not_yet_valid: challenged(401, "invalid_token", "API key is not valid yet"),
  address_not_allowed: refusal(403, "access_denied", "API key may not be used from this address"),
  tenant_mismatch: refusal(403, "access_denied", "API key does not belong to the tenant of this path"),
  owner_mismatch: refusal(403, "access_denied", "API key does not belong to the owner of this path"),
  method_not_allowed: refusal(403, "access_denied", "API key may not be used with this method"),
  path_not_allowed: refusal(403, "access_denied", "API key may not be used on this path"),
  insufficient_scope: challenged(403, "insufficient_scope", "API key does not have required permissions"),
  rate_limited: refusal(429, "rate_limited", "API key has been used as often as its rate limit allows"),
  internal_error: refusal(503, "temporarily_unavailable", "The request could not be judged because of a defect"),
} as const satisfies Record<string, Refusal>;

/** The name of a denial: in the answer's headers and metadata, in logs and in metrics. */
export type Reason = keyof typeof REASONS;

/** The names of all denials, in the order of judging. */
export const REASON_NAMES = Object.keys(REASONS) as readonly Reason[];

function refusal(status: Refusal["status"], error: string, description: string): Refusal {
  return { status, error, description, challenge: false };
}

function challenged(status: Refusal["status"], error: string | undefined, description: string): Refusal {
  return { status, description, challenge: true, ...(error === undefined ? {} : { error }) };
}
