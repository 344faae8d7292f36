import type { KeyRecord } from "./record.ts";

/** Where a key stands at a moment. The names are those of the public API, in lower case. */
export type KeyState = "active" | "disabled" | "expired" | "revoked" | "rotated";

/**
 * Where a key stands at `nowMs`. What ended for good stays ended: a revoked key does not turn into an expired one. The end
 * of a grace period after a rotation is an expiry like any other, and follows the clock as they do.
 */
export function stateOf(record: KeyRecord, nowMs: number): KeyState {
  const { revoked, disabled, graceEndsAtMs, expiresAtMs } = record;
  if (revoked) return "revoked";
  if (disabled) return "disabled";
  if (hasCome(expiresAtMs, nowMs) || hasCome(graceEndsAtMs, nowMs)) return "expired";
  return graceEndsAtMs === undefined ? "active" : "rotated";
}

function hasCome(timeMs: number | undefined, nowMs: number): boolean {
  return timeMs !== undefined && nowMs >= timeMs;
}
