import { expect, test } from "vitest";
import { REASON_NAMES, REASONS, type Refusal } from "../../src/check/reason.ts";

/** Status, `error`, sentence, and whether WWW-Authenticate asks for another credential. */
type Told = [Refusal["status"], string | undefined, string, boolean];

const told: [name: string, ...Told][] = [
  ["malformed_request", 400, "invalid_request", "The request cannot be judged", false],
  ["ambiguous_host", 400, "invalid_request", "The host can be read in more than one way", false],
  ["ambiguous_path", 400, "invalid_request", "The path can be read in more than one way", false],
  ["misconfigured_route", 403, "access_denied", "The route's configuration cannot be understood", false],
  ["route_denied", 403, "access_denied", "The route is closed", false],
  ["no_credential", 401, undefined, "Not authenticated", true],
  ["ambiguous_credential", 400, "invalid_request", "More than one API key was presented", true],
  ["malformed_credential", 401, "invalid_token", "The API key is malformed (truncated, or mistyped)", true],
  ["store_unavailable", 503, "temporarily_unavailable", "API keys cannot be checked at the moment", false],
  ["unknown_key", 401, "invalid_token", "The API key is not known", true],
  ["key_revoked", 401, "invalid_token", "API key has been revoked", true],
  ["key_disabled", 401, "invalid_token", "API key is disabled", true],
  ["owner_disabled", 401, "invalid_token", "API key belongs to a disabled owner", true],
  ["key_expired", 401, "invalid_token", "API key has expired", true],
  ["key_not_yet_valid", 401, "invalid_token", "API key is not valid yet", true],
  ["address_not_allowed", 403, "access_denied", "API key may not be used from this address", false],
  ["tenant_mismatch", 403, "access_denied", "API key does not belong to the tenant of this path", false],
  ["owner_mismatch", 403, "access_denied", "API key does not belong to the owner of this path", false],
  ["method_not_allowed", 403, "access_denied", "API key may not be used with this method", false],
  ["path_not_allowed", 403, "access_denied", "API key may not be used on this path", false],
  ["insufficient_scope", 403, "insufficient_scope", "API key does not have required permissions", true],
  ["rate_limited", 429, "rate_limited", "API key has been used as often as its rate limit allows", false],
  ["internal_error", 503, "temporarily_unavailable", "The request could not be judged because of a defect", false],
];

test("the reasons stand in the order in which a request is judged", () => {
  expect(REASON_NAMES).toEqual(told.map(([name]) => name));
});

test.each(told)("%s is told as %i %s: %s (challenge: %s)", (name, status, error, description, challenge) => {
  const refusals: Record<string, Refusal> = REASONS;
  expect(refusals[name]).toEqual({ status, description, challenge, ...(error && { error }) });
});

test("a description can stand in JSON and in a quoted string as it is", () => {
  for (const { description } of Object.values(REASONS)) expect(description).toMatch(/^[ !#-[\]-~]+$/);
});
