import type { Rule } from "../policy/rule.ts";
import type { Denied } from "./decide.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { REASONS, type Reason, type Refusal } from "./reason.ts";
import { sentenceOf } from "./sentence.ts";

/**
 * The headers of a denial, in lower case. A realm asks for WWW-Authenticate where another credential would help. Where the
 * key's rate limit is what refuses, they tell what is left of it, and when to come again: `Retry-After` (RFC 9110 §10.2.3)
 * in seconds.
 */
export function denialHeaders(
  decision: Denied,
  id: string,
  realm: string | undefined,
): readonly (readonly [name: string, value: string])[] {
  const { reason, taken } = decision;
  const headers: (readonly [string, string])[] = [
    ["content-type", "application/json"],
    ["x-keyward-decision-id", id],
    ["x-keyward-reason", reason],
  ];
  if (realm !== undefined && REASONS[reason].challenge)
    headers.push(["www-authenticate", challengeOf(decision, realm)]);
  if (taken !== undefined) headers.push(["retry-after", String(taken.nextInSeconds)], ...rateLimitHeaders(taken));
  return headers;
}

/** The body: JSON whose texts need no escape, our own sentences, ids, and scopes, which hold neither `"` nor `\`. */
export function denialBody(decision: Denied, id: string): string {
  const error = errorOf(decision.reason);
  const code = error === undefined ? "" : `"error":"${error}",`;
  const lists = isScopeDenial(decision)
    ? `,"required":${jsonList(decision.rule.scopes)},"provided":${jsonList(decision.scopes)}`
    : "";
  return `{${code}"error_description":"${sentenceOf(decision)}","decision_id":"${id}"${lists}}`;
}

/** RFC 6750 §3: without a credential the challenge is bare, since nothing presented was wrong. */
function challengeOf(decision: Denied, realm: string): string {
  const error = errorOf(decision.reason);
  if (error === undefined) return `Bearer realm="${realm}"`;
  const scope = isScopeDenial(decision) ? `, scope="${decision.rule.scopes.join(" ")}"` : "";
  return `Bearer realm="${realm}", error="${error}", error_description="${sentenceOf(decision)}"${scope}`;
}

function errorOf(reason: Reason): string | undefined {
  const refusal: Refusal = REASONS[reason];
  return refusal.error;
}

function isScopeDenial(decision: Denied): decision is Denied & { rule: Rule; scopes: readonly string[] } {
  return decision.reason === "insufficient_scope" && decision.rule !== undefined && decision.scopes !== undefined;
}

function jsonList(texts: readonly string[]): string {
  return texts.length === 0 ? "[]" : `["${texts.join('","')}"]`;
}
