/** What several rounds came to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The spread of some numbers; NaN where there are none. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((one, other) => one - other);
  const [min = Number.NaN] = sorted;
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, min, max: sorted.at(-1) ?? Number.NaN };
}

/** The value below which a share of the sorted numbers lies (nearest rank); NaN where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
