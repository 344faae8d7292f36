const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How a duration is written. */
export const DURATION = /^(\d{1,12})(ms|s|m|h|d)?$/;

/**
 * Reads a duration and returns it in milliseconds: a whole number with `ms`, `s`, `m`, `h` or `d`, or without a unit for
 * seconds (`600`, `500ms`, `10m`, `24h`, `90d`). Returns undefined for anything else: negative numbers, fractions and
 * sums such as `1h30m` included. A day is 24 hours.
 */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = "s"] = DURATION.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT];
}

/** Writes milliseconds in the largest unit that needs no fraction: 5000 is `5s`, 90000 is `90s`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const unit = (["d", "h", "m", "s"] as const).find((candidate) => ms % MS_PER_UNIT[candidate] === 0) ?? "ms";
  return `${ms / MS_PER_UNIT[unit]}${unit}`;
}
