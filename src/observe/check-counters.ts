import { REASON_NAMES, type Reason } from "../check/reason.ts";

/** What a check can come to: an allow, or a denial with its reason. */
export type Outcome = "allowed" | "public" | Reason;

/** Every outcome, in the order of their counters. */
export const OUTCOMES: readonly Outcome[] = ["allowed", "public", ...REASON_NAMES];

/**
 * Upper bounds in seconds of the buckets of check durations. A cached check takes a few microseconds and one that reads
 * SQLite some tens; 200 ms is where Envoy gives up by default.
 */
export const DURATION_BOUNDS_SECONDS = [
  0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.2,
] as const;

/** Where each counter stands in the shared cells of one thread. */
const CELL = {
  outcomes: 0,
  buckets: OUTCOMES.length,
  durationMicroseconds: OUTCOMES.length + DURATION_BOUNDS_SECONDS.length + 1,
  cache: OUTCOMES.length + DURATION_BOUNDS_SECONDS.length + 2,
  lost: OUTCOMES.length + DURATION_BOUNDS_SECONDS.length + 5,
};

/** What the cache counts, in the order of the cells. */
const CACHE_COUNTERS = ["hits", "unknownHits", "misses"] as const;

/** Counts of the cache since it was made. */
export type CacheCounts = Readonly<Record<(typeof CACHE_COUNTERS)[number], number>>;

/** What a check thread could not keep until somebody took it, in the order of the cells. */
export const LOSSES = ["use", "denial", "sighting", "allowed_line"] as const;

/** How many 32-bit cells the counters of one thread take. */
export const COUNTERS_LENGTH = CELL.lost + LOSSES.length;

/**
 * Counts checks in shared cells that one thread alone writes. Whole 32-bit cells cannot be read half-written, and they
 * wrap: the reader adds up differences.
 */
export class CheckCounters {
  readonly #cells: Uint32Array;
  readonly #outcome = new Map(OUTCOMES.map((outcome, index) => [outcome, CELL.outcomes + index]));
  /** The time so far, with the fraction of a microsecond that the cell cannot hold. */
  #microseconds: number;
  readonly #cacheSeen = [0, 0, 0];

  constructor(cells: Uint32Array) {
    this.#cells = cells;
    this.#microseconds = cells[CELL.durationMicroseconds] ?? 0;
  }

  countOutcome(outcome: Outcome): void {
    this.#add(this.#outcome.get(outcome) ?? 0, 1);
  }

  countDuration(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS_SECONDS.length && seconds > (DURATION_BOUNDS_SECONDS[bucket] ?? 0)) bucket++;
    this.#add(CELL.buckets + bucket, 1);
    this.#microseconds += milliseconds * 1000;
    this.#cells[CELL.durationMicroseconds] = Math.floor(this.#microseconds % 2 ** 32);
  }

  /** Adds what the cache of this thread has counted since the last call. */
  countCache(counts: CacheCounts): void {
    for (let index = 0; index < CACHE_COUNTERS.length; index++) {
      const count = counts[CACHE_COUNTERS[index] as keyof CacheCounts];
      this.#add(CELL.cache + index, count - (this.#cacheSeen[index] ?? 0));
      this.#cacheSeen[index] = count;
    }
  }

  countLost(what: (typeof LOSSES)[number]): void {
    this.#add(CELL.lost + LOSSES.indexOf(what), 1);
  }

  #add(cell: number, count: number): void {
    this.#cells[cell] = (this.#cells[cell] ?? 0) + count;
  }
}

/** The totals of one thread since the program started. */
export interface CheckTotals {
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** One more than the bounds: the last counts what was slower than all of them. */
  readonly buckets: readonly number[];
  readonly durationSeconds: number;
  readonly cache: CacheCounts;
  readonly lost: Readonly<Record<(typeof LOSSES)[number], number>>;
}

/** Adds up what a thread's cells count. Must be asked before any cell can wrap twice: every few seconds is plenty. */
export class CheckTotalizer {
  readonly #cells: Uint32Array;
  readonly #seen: Uint32Array;
  readonly #totals: number[];

  constructor(cells: Uint32Array) {
    this.#cells = cells;
    this.#seen = new Uint32Array(cells.length);
    this.#totals = Array.from(cells, () => 0);
  }

  totals(): CheckTotals {
    for (const [cell, total] of this.#totals.entries()) {
      const now = this.#cells[cell] ?? 0;
      this.#totals[cell] = total + ((now - (this.#seen[cell] ?? 0)) >>> 0);
      this.#seen[cell] = now;
    }
    const at = (cell: number) => this.#totals[cell] ?? 0;
    return {
      outcomes: new Map(OUTCOMES.map((outcome, index) => [outcome, at(CELL.outcomes + index)])),
      buckets: Array.from({ length: DURATION_BOUNDS_SECONDS.length + 1 }, (_, index) => at(CELL.buckets + index)),
      durationSeconds: at(CELL.durationMicroseconds) / 1e6,
      cache: { hits: at(CELL.cache), unknownHits: at(CELL.cache + 1), misses: at(CELL.cache + 2) },
      lost: {
        use: at(CELL.lost),
        denial: at(CELL.lost + 1),
        sighting: at(CELL.lost + 2),
        allowed_line: at(CELL.lost + 3),
      },
    };
  }
}
