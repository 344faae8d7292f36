/** How reading the configuration went, since the program has started. Starting is no reload, yet the latest success. */
export interface ReloadCounts {
  succeeded: number;
  failed: number;
  /** Whether the latest attempt succeeded. */
  lastSucceeded: boolean;
  /** When what is in effect was read, in milliseconds since 1970. */
  lastSuccessAtMs: number;
}

/** The counts of a program that has read its configuration at `nowMs`. */
export function newReloadCounts(nowMs: number): ReloadCounts {
  return { succeeded: 0, failed: 0, lastSucceeded: true, lastSuccessAtMs: nowMs };
}
