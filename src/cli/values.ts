import {
  type Duration,
  durationFromMs,
  durationMs,
  type Timestamp,
  timestampDate,
  timestampFromDate,
  timestampFromMs,
} from "@bufbuild/protobuf/wkt";
import { parseDuration } from "../config/duration.ts";
import { UsageError } from "./exit.ts";

/** Collects a flag that may be repeated, or hold several values separated by comma or space. */
export function list(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(/[\s,]+/).filter((item) => item !== "")];
}

/** Refuses what is no duration, and returns it as it is written. */
export function duration(flag: string, text: string): string {
  if (parseDuration(text) !== undefined) return text;
  throw new UsageError(`${flag} ${text} must be a duration such as 600 (seconds), 24h or 7d`);
}

/** Collects a flag that may be repeated and whose values may hold commas. */
export function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** RFC 3339 §5.6. A time without its offset would mean different things on different machines. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Reads a time such as 2026-12-31T23:59:59Z. */
export function time(flag: string, text: string): Timestamp {
  const ms = RFC_3339.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new UsageError(`${flag} ${text} must be a time such as 2026-12-31T23:59:59Z`);
  return timestampFromDate(new Date(ms));
}

/** Whether a date is in the calendar: `Date.parse` takes the 30th of February for the 2nd of March. */
function isDay(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** Reads `name=value` pairs. */
export function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`${flag} ${text} must be NAME=VALUE`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  const twice = entries.find(([name], index) => entries.findIndex(([other]) => other === name) !== index);
  if (twice !== undefined) throw new UsageError(`${flag} names ${twice[0]} twice`);
  return Object.fromEntries(entries);
}

/** Reads a rate limit such as 100/60s: so many requests in so much time. */
export function rateLimit(flag: string, text: string): { readonly requests: number; readonly window: Duration } {
  const [, requests, window = ""] = /^(\d{1,9})\/(\w+)$/.exec(text) ?? [];
  const ms = parseDuration(window);
  if (requests === undefined || ms === undefined) {
    throw new UsageError(`${flag} ${text} must be REQUESTS/WINDOW such as 100/60s or 10000/24h`);
  }
  return { requests: Number(requests), window: durationFromMs(ms) };
}

/** When a key is to end, as a request says it. */
type Expiry =
  | { readonly case: "expiresIn"; readonly value: Duration }
  | { readonly case: "expiresAt"; readonly value: Timestamp }
  | { readonly case: "neverExpires"; readonly value: true };

/** Reads when a key ends: a duration such as 90d, `never`, or a time. */
export function expiry(flag: string, text: string): Expiry {
  if (text === "never") return { case: "neverExpires", value: true };
  if (RFC_3339.test(text)) return { case: "expiresAt", value: time(flag, text) };
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new UsageError(
      `${flag} ${text} must be a duration such as 600 (seconds), 10m, 24h or 90d, "never", or a time such as 2026-12-31T23:59:59Z`,
    );
  }
  return { case: "expiresIn", value: durationFromMs(ms) };
}

/** The same as a point in time, for what is to end so long from `nowMs`; undefined: never. */
export function endAt(flag: string, text: string, nowMs: number): Timestamp | undefined {
  const end = expiry(flag, text);
  if (end.case === "expiresIn") return timestampFromMs(nowMs + durationMs(end.value));
  return end.case === "expiresAt" ? end.value : undefined;
}

/** Reads a point in the past: a time, or a duration for so long before `nowMs`. Returns it as RFC 3339 writes it. */
export function pointInTime(flag: string, text: string, nowMs: number): string {
  if (RFC_3339.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const ms = parseDuration(text);
  if (ms === undefined || ms > nowMs) {
    throw new UsageError(
      `${flag} ${text} must be a time such as 2026-12-31T23:59:59Z, or a duration such as 24h or 90d`,
    );
  }
  return new Date(nowMs - ms).toISOString();
}

/** A time for people, in UTC to the second; empty where there is none. */
export function shownTime(time: Timestamp | undefined): string {
  return time === undefined
    ? ""
    : timestampDate(time)
        .toISOString()
        .replace(/\.\d+Z$/, "Z");
}
