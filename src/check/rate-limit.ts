import type { RateLimit } from "../key/record.ts";

/** Counts the requests of keys that have a rate limit. */
export interface RateLimiter {
  /** Counts one request where one is left. One that is refused is not counted. */
  take(limit: RateLimit): Taken;
  /** What `take` would answer. Counts nothing. */
  peek(limit: RateLimit): Taken;
}

/** What came of counting a request. */
export interface Taken {
  readonly limit: RateLimit;
  readonly allowed: boolean;
  /** How many more would be allowed at once; 0 where this one was refused. */
  readonly remaining: number;
  /** After so many whole seconds, at least 1, it is one more than `remaining`. */
  readonly nextInSeconds: number;
}

const NS_PER_MS = 1_000_000;
const NS_PER_SECOND = 1_000_000_000;

/**
 * Makes a limiter over cells that threads share, one a limit: GCRA, the leaky bucket that needs a single number. From a
 * fresh cell, which is 0, all requests of a window pass at once, and from then on one in each equal part of the window.
 * The part is cut to whole nanoseconds.
 *
 * A cell holds the time at which all would be free again, on a clock in nanoseconds that is the same in all threads, never
 * goes back and is not negative. A number that fits no state of the limit (its window was longer, or the cell was another
 * key's) counts as a window that is used up now: nobody waits out a limit that no longer holds.
 */
export function createRateLimiter(cells: BigInt64Array, nowNs: () => bigint): RateLimiter {
  const ask = (limit: RateLimit, counts: boolean): Taken => {
    const { requests, windowMs, cell } = limit;
    // All spans are at most 31 days of nanoseconds, which a double holds exactly.
    const part = Math.floor((windowMs * NS_PER_MS) / requests);
    const whole = requests * part;
    for (;;) {
      const seen = Atomics.load(cells, cell);
      // Read after the cell: what another thread wrote there with a later time would seem to fit no state.
      const now = nowNs();
      const ahead = Number(seen - now);
      const used = Math.min(Math.max(ahead, 0), whole);
      const allowed = used <= whole - part;
      const usedNow = allowed ? used + part : used;
      const isToWrite = counts && (allowed || ahead > whole);
      // Another thread was faster: its request is counted first.
      if (isToWrite && Atomics.compareExchange(cells, cell, seen, now + BigInt(usedNow)) !== seen) continue;
      const parts = Math.ceil(usedNow / part);
      const nextInSeconds = Math.ceil((usedNow - (parts - 1) * part) / NS_PER_SECOND);
      return { limit, allowed, remaining: requests - parts, nextInSeconds };
    }
  };
  return { take: (limit) => ask(limit, true), peek: (limit) => ask(limit, false) };
}
