import { setTimeout as delay } from "node:timers/promises";
import { placeOf } from "../../usage/network.ts";

/** Slows down those whose logins fail. */
export interface LoginGuard {
  /** Whether a login from an address is looked at: not where as many of its failures are waiting as may. */
  admits(address: string): boolean;
  /** Resolves when a failed login may be answered. */
  failed(address: string): Promise<void>;
}

/** So many failures are a mistyped key and a few retries of a program; each is forgotten after a while. */
const FREE_FAILURES = 10;
const FORGOTTEN_AFTER_MS = 6_000;

/** Each failure beyond them waits longer than the last. */
const STEP_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** So many answers of one address wait at once, which makes ten failures a second; more logins are not looked at. */
const MAX_WAITING_OF_ONE = 20;

/** Beyond so many failures a second from everywhere together, every failure waits. */
const FREE_OVERALL = 100;
const FORGOTTEN_OVERALL_AFTER_MS = 10;
const WAIT_OVERALL_MS = 1_000;

/** About 1 MB. Where failures come from more addresses than these, the bound for all of them together slows them. */
const MAX_ADDRESSES = 10_000;

/** So many answers wait at once; beyond it a failure is answered without delay, so that memory stays bounded. */
const MAX_WAITING = 2_000;

/** A number that grows with each failure and shrinks with time. */
interface Level {
  failures: number;
  atMs: number;
  waiting: number;
}

/**
 * Makes the guard of the admin API. Only failures are delayed, never a good login, and an address on which many of them
 * wait is refused for as long as they do; other addresses do not notice. `nowMs` tells a time that never goes back.
 */
export function createLoginGuard(
  signal: AbortSignal,
  nowMs: () => number = () => performance.now(),
  wait: (ms: number) => Promise<unknown> = (ms) => delay(ms, undefined, { signal, ref: false }).catch(() => {}),
): LoginGuard {
  const levels = new Map<string, Level>();
  const overall: Level = { failures: 0, atMs: nowMs(), waiting: 0 };

  const levelOf = (address: string): Level => {
    const key = keyOf(address);
    const level = levels.get(key) ?? { failures: 0, atMs: nowMs(), waiting: 0 };
    levels.delete(key);
    levels.set(key, level);
    const [oldest] = levels.keys();
    if (levels.size > MAX_ADDRESSES && oldest !== undefined) levels.delete(oldest);
    return level;
  };

  return {
    admits: (address) => (levels.get(keyOf(address))?.waiting ?? 0) < MAX_WAITING_OF_ONE,

    async failed(address) {
      const level = levelOf(address);
      const own = raised(level, nowMs(), FORGOTTEN_AFTER_MS) - FREE_FAILURES;
      const all = raised(overall, nowMs(), FORGOTTEN_OVERALL_AFTER_MS) - FREE_OVERALL;
      const ms = Math.max(Math.min(Math.ceil(own) * STEP_MS, LONGEST_WAIT_MS), all > 0 ? WAIT_OVERALL_MS : 0);
      if (ms <= 0 || overall.waiting >= MAX_WAITING) return;
      level.waiting++;
      overall.waiting++;
      await wait(ms);
      level.waiting--;
      overall.waiting--;
    },
  };
}

/** Counts one more failure, and returns how many are not forgotten. */
function raised(level: Level, nowMs: number, forgottenAfterMs: number): number {
  level.failures = Math.max(0, level.failures - (nowMs - level.atMs) / forgottenAfterMs) + 1;
  level.atMs = nowMs;
  return level.failures;
}

/** Who has an IPv6 address has more of them than could be remembered. */
function keyOf(address: string): string {
  const place = placeOf(address);
  if (place === undefined) return "";
  return place.address.includes(":") ? place.network : place.address;
}
