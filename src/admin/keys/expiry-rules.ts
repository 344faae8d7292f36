import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { formatDuration } from "../../config/duration.ts";
import type { RuleContext } from "../rules/rule-context.ts";
import type { Expiry } from "./expiry.ts";

// Each says what is wrong with a time, as a phrase that follows the field's name; undefined: nothing.

/** 100 years of 365.25 days: more is a mistyped number, and "never" can be said. */
const MAX_LIFETIME_SECONDS = 3_155_760_000;

/** The year 10000, where RFC 3339 and google.protobuf.Timestamp end. */
const END_OF_TIME_MS = Date.UTC(10_000, 0, 1);

/** A time that RFC 3339 can write. */
export function pointInTime(time: Timestamp): string | undefined {
  const ms = timestampMs(time);
  return ms < 0 || ms >= END_OF_TIME_MS ? "must be from 1970 to 9999" : undefined;
}

/** When a key is to end: in the future, in whole seconds, and within the longest life there may be. */
export function expiryProblem(expiry: Expiry, { nowMs, maxLifetimeMs }: RuleContext): string | undefined {
  if (expiry.case === undefined) return undefined;
  if (expiry.case === "neverExpires") return expiry.value ? endless(maxLifetimeMs) : "must be true";
  if (expiry.case === "expiresIn") {
    const { seconds, nanos } = expiry.value;
    if (nanos !== 0 || seconds < 1n || seconds > MAX_LIFETIME_SECONDS) {
      return `must be whole seconds >= 1 and <= ${MAX_LIFETIME_SECONDS}`;
    }
    return tooLong(nowMs + durationMs(expiry.value), nowMs, maxLifetimeMs);
  }
  const endMs = timestampMs(expiry.value);
  if (pointInTime(expiry.value) !== undefined) return pointInTime(expiry.value);
  if (endMs <= nowMs) return `${new Date(endMs).toISOString()} must be in the future`;
  return tooLong(endMs, nowMs, maxLifetimeMs);
}

/** A life that ends no later than the longest there may be. */
export function tooLong(endMs: number, startMs: number, maxLifetimeMs: number | undefined): string | undefined {
  return maxLifetimeMs !== undefined && endMs - startMs > maxLifetimeMs ? mustEndWithin(maxLifetimeMs) : undefined;
}

/** A life without end, where there is no longest one. */
export function endless(maxLifetimeMs: number | undefined): string | undefined {
  return maxLifetimeMs === undefined ? undefined : mustEndWithin(maxLifetimeMs);
}

function mustEndWithin(maxLifetimeMs: number): string {
  return `must end within ${formatDuration(maxLifetimeMs)} (key_lifetime.max)`;
}
