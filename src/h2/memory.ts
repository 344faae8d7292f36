/** Counts bytes that are held for others, on all connections of a server together, so that they stay below a limit. */
export class Memory {
  readonly #maxBytes: number;
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many are held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes so many, or none and returns false where there is no room for them. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#maxBytes) return false;
    this.#held += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#held -= bytes;
  }
}
