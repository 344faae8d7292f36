import type { Taken } from "./rate-limit.ts";

/** Names our policy among those of the upstream, which may have its own in the same headers. */
const POLICY = '"key"';

/**
 * Tells of a rate limit as draft-ietf-httpapi-ratelimit-headers-11 has it: what the limit is (§3), and how many requests
 * are left for how many seconds (§4): until then no more than those are allowed. Values are ASCII.
 */
export function rateLimitHeaders({ limit, remaining, nextInSeconds }: Taken): readonly [name: string, value: string][] {
  return [
    // Whole seconds: the draft knows no parts of one.
    ["ratelimit-policy", `${POLICY};q=${limit.requests};w=${Math.ceil(limit.windowMs / 1000)}`],
    ["ratelimit", `${POLICY};r=${remaining};t=${nextInSeconds}`],
  ];
}
