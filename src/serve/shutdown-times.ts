/** When each step of a shutdown has to be over, in milliseconds of `performance.now()`, or how long it may still take. */
export interface ShutdownTimes {
  /** How long checks in progress may take, and when check threads are ended that do not obey. */
  readonly checksGraceMs: number;
  readonly checksEndMs: number;
  /** When the wait for the usage of keys to be written down is over. */
  usageEndMs(nowMs: number): number;
  /** How long admin calls in progress may take from now on, and when the writer thread is ended if it does not obey. */
  writerGraceMs(nowMs: number): number;
  readonly writerEndMs: number;
}

/**
 * How long what is known of the use of keys, and of denials, may take to be written down. This is done within a second, or
 * the disk is stuck.
 */
const WRITING_MS = 3_000;

/** Half of `shutdown_timeout` belongs to the calls in progress, however short it is. */
const WRITING_SHARE = 1 / 4;

/**
 * Shares out `shutdown_timeout`. A call that hangs must not use up all of it: what has been seen of keys, and the log of
 * the database, are written down by threads that end after those that answer calls.
 */
export function createShutdownTimes(timeoutMs: number, startMs: number): ShutdownTimes {
  const writingMs = Math.min(WRITING_MS, timeoutMs * WRITING_SHARE);
  const endMs = startMs + timeoutMs;
  return {
    checksGraceMs: timeoutMs - 2 * writingMs,
    checksEndMs: endMs - 1.5 * writingMs,
    usageEndMs: (nowMs) => Math.min(nowMs + WRITING_MS, endMs - writingMs),
    writerGraceMs: (nowMs) => Math.max(0, endMs - writingMs / 2 - nowMs),
    writerEndMs: endMs,
  };
}
