import { createRateLimiter, type RateLimiter } from "../../src/check/rate-limit.ts";

/** A limiter with a few fresh cells and a clock in nanoseconds. */
export function ratesAt(nowNs: () => bigint): RateLimiter {
  return createRateLimiter(new BigInt64Array(4), nowNs);
}
