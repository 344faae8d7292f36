/** What a program takes, read once a second. */
export interface Reading {
  readonly atMs: number;
  /** Resident memory. */
  readonly bytes: number;
  readonly descriptors: number;
}

/** How what was taken has changed over the second half of a run. */
export interface Growth {
  /** From the median of the third quarter to that of the last. */
  readonly bytes: number;
  readonly bytesPerMinute: number;
  readonly descriptors: number;
}

/**
 * Compares quarters by their medians: V8 lets memory grow and gives it back in steps, so that no two single readings can
 * be compared. The first half is for warming up. Needs eight readings or more.
 */
export function growthOf(readings: readonly Reading[]): Growth {
  const quarter = Math.floor(readings.length / 4);
  if (quarter < 2) throw new Error(`${readings.length} readings must be at least 8`);
  const third = readings.slice(-2 * quarter, -quarter);
  const last = readings.slice(-quarter);
  const between = (of: (reading: Reading) => number) => median(last.map(of)) - median(third.map(of));
  const bytes = between((reading) => reading.bytes);
  const minutes = between((reading) => reading.atMs) / 60_000;
  return { bytes, bytesPerMinute: bytes / minutes, descriptors: between((reading) => reading.descriptors) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
