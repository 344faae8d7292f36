import { Deadline } from "./deadline.ts";
import type { Limits } from "./limits.ts";

/** How long one connection's peer is waited for, in whatever it has to do. It is asked now and then, with each tick. */
export class Patience {
  readonly #limits: Limits;
  readonly #clock: { readonly ms: number };
  readonly #owed = new Deadline();
  readonly #stall = new Deadline();
  readonly #silence = new Deadline();
  readonly #drain = new Deadline();
  readonly #oldAtMs: number;
  #silentMs = 0;
  #silentMsBefore = 0;

  constructor(limits: Limits, clock: { readonly ms: number }) {
    this.#limits = limits;
    this.#clock = clock;
    this.#oldAtMs = clock.ms + limits.maxAgeMs * (0.9 + 0.2 * Math.random());
  }

  /** Whether it has to read and does not: `reading` is another with each time that it has read, or undefined where all is read. */
  hasStalled(reading: number | undefined): boolean {
    return this.#stall.age(reading, this.#clock.ms) >= this.#limits.stallTimeoutMs;
  }

  /** Whether it owes something for too long: `owed` tells apart what, and undefined is nothing. */
  isOwedTooLong(owed: number | undefined): boolean {
    return this.#owed.age(owed, this.#clock.ms) >= this.#limits.frameTimeoutMs;
  }

  /** Whether it has been asked to leave, and has not told that it heard. */
  hasDrained(isDraining: boolean): boolean {
    return this.#drain.age(isDraining ? 0 : undefined, this.#clock.ms) >= this.#limits.frameTimeoutMs;
  }

  /** Takes how many bytes have come. */
  listen(bytesRead: number): void {
    this.#silentMsBefore = this.#silentMs;
    this.#silentMs = this.#silence.age(bytesRead, this.#clock.ms);
  }

  /** Whether it has just been silent for so long that it should be asked whether it is there. */
  get isDueToAsk(): boolean {
    const { silenceMs } = this.#limits;
    return this.#silentMs >= silenceMs && this.#silentMsBefore < silenceMs;
  }

  /** Whether it was asked, and has not answered. */
  get isGone(): boolean {
    return this.#silentMs >= this.#limits.silenceMs + this.#limits.pingTimeoutMs;
  }

  /** Whether the connection has lasted for as long as any may. */
  get isOld(): boolean {
    return this.#clock.ms >= this.#oldAtMs;
  }
}
