import type { KeyHistory } from "./history.ts";

/** A key and what opens it. */
export interface WatchedKey {
  readonly secret: string;
  readonly history: KeyHistory;
}

/** How many keys are looked at again and again. More than the caches hold, so that most are read from the database. */
const WATCHED = 12;

/** What the observers look at: first what has just changed, so that each change is met by each of them at once. */
export class Focus {
  readonly #watched: WatchedKey[] = [];
  readonly #urgent = new Map<string, WatchedKey[]>();

  /** Looks at a key from now on, in place of the one that has been looked at the longest. */
  watch(key: WatchedKey): void {
    this.#watched.push(key);
    if (this.#watched.length > WATCHED) this.#watched.shift();
  }

  /** Lets every observer look at a key next. */
  strike(key: WatchedKey): void {
    for (const waiting of this.#urgent.values()) {
      waiting.push(key);
      if (waiting.length > WATCHED) waiting.shift();
    }
  }

  /** Any key; `draw` is a number from 0 to below 1. Undefined while there is none. */
  any(draw: number): WatchedKey | undefined {
    return this.#watched[Math.floor(draw * this.#watched.length)];
  }

  /** The next key for an observer, or else any. */
  next(observer: string, draw: number): WatchedKey | undefined {
    let waiting = this.#urgent.get(observer);
    if (waiting === undefined) {
      waiting = [];
      this.#urgent.set(observer, waiting);
    }
    return waiting.shift() ?? this.any(draw);
  }
}
