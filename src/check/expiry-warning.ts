import type { KeyRecord } from "../key/record.ts";

const NONE: readonly (readonly [name: string, value: string])[] = [];

/**
 * Tells the client that its key is about to end, by its expiry or with the grace period after a rotation: `Sunset` (RFC
 * 8594 §3) with the time, and the seconds until then. No headers where more than `warningMs` are left.
 */
export function expiryWarning(
  record: KeyRecord | undefined,
  nowMs: number,
  warningMs: number,
): readonly (readonly [name: string, value: string])[] {
  const endsAtMs = earlier(record?.expiresAtMs, record?.graceEndsAtMs);
  if (endsAtMs === undefined || endsAtMs - nowMs > warningMs) return NONE;
  const seconds = Math.max(0, Math.floor((endsAtMs - nowMs) / 1000));
  return [
    ["sunset", new Date(endsAtMs).toUTCString()],
    ["x-keyward-key-expires-in", String(seconds)],
  ];
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one !== undefined && other !== undefined ? Math.min(one, other) : (one ?? other);
}
