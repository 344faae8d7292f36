import type { KeyRecord } from "./record.ts";

/** Where a key stands at a moment. The names are those of the public API, in lower case. */
export type KeyState = "active" | "expired" | "revoked";

/** Where a key stands at `nowMs`. What ended for good stays ended: a revoked key does not turn into an expired one. */
export function stateOf(record: KeyRecord, nowMs: number): KeyState {
  if (record.revoked) return "revoked";
  return record.expiresAtMs !== undefined && nowMs >= record.expiresAtMs ? "expired" : "active";
}
