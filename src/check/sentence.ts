import type { Denied } from "./decide.ts";
import { REASONS } from "./reason.ts";

/**
 * What a denial tells the caller: the sentence of its reason, and where more is known, what whoever holds the key can act
 * on. Printable ASCII without `"` and `\`. A date is the day in UTC.
 */
export function sentenceOf({ reason, record, flaw }: Denied): string {
  if (reason === "malformed_credential" && flaw !== undefined) return `The API key is malformed (${flaw})`;
  if (reason === "key_expired" && record !== undefined) {
    const endedAtMs = Math.min(record.expiresAtMs ?? Infinity, record.graceEndsAtMs ?? Infinity);
    if (Number.isFinite(endedAtMs)) return `${REASONS.key_expired.description} on ${dayOf(endedAtMs)}`;
  }
  return REASONS[reason].description;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, "2026-11-03".length);
}
