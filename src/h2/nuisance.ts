import { ConnectionError } from "./connection-error.ts";
import type { Counters } from "./counters.ts";
import type { Limits } from "./limits.ts";

/** What a call that was served gives back: enough for the pings and window updates that busy clients send beside it. */
const EARNED_PER_CALL = 4;

/**
 * One budget for all that brings no call nearer to its answer: resets, pings, settings, empty frames, refused and
 * ignored ones. Every flood known is made of such; one sum leaves no gap between many limits. One for each connection.
 */
export class Nuisance {
  readonly #limits: Limits;
  readonly #counters: Counters;
  #left: number;

  constructor(limits: Limits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
    this.#left = limits.nuisanceBurst;
  }

  /** Pays for something. Throws ConnectionError once the budget is spent. */
  spend(what: string, cost = 1): void {
    this.#counters.nuisance += cost;
    this.#left -= cost;
    if (this.#left < 0) throw new ConnectionError("enhanceYourCalm", `too much that is no call, at last ${what}`);
  }

  /** A call was served. */
  earn(): void {
    if (this.#left < this.#limits.nuisanceBurst) this.#left += EARNED_PER_CALL;
  }

  /** Time has passed. */
  refill(ms: number): void {
    this.#left = Math.min(this.#limits.nuisanceBurst, this.#left + (this.#limits.nuisancePerSecond * ms) / 1_000);
  }
}
