import type { KeyRecord } from "./record.ts";

/** Where a key stands at a moment. The names are those of the public API, in lower case. */
export type KeyState = "active" | "disabled" | "expired" | "revoked" | "rotated";

/**
 * Where a key stands at `nowMs`. What ended for good stays ended: a revoked key does not turn into an expired one, and
 * neither does one whose grace period after a rotation is over.
 */
export function stateOf(record: KeyRecord, nowMs: number): KeyState {
  const { revoked, disabled, graceEndsAtMs, expiresAtMs } = record;
  if (revoked || (graceEndsAtMs !== undefined && nowMs >= graceEndsAtMs)) return "revoked";
  if (disabled) return "disabled";
  if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return "expired";
  return graceEndsAtMs === undefined ? "active" : "rotated";
}
