import type { Latin1 } from "./latin1.ts";
import { MALFORMED } from "./wire.ts";

/**
 * Where a request says a thing: in a field of its own, and again in a pseudo-header, if Envoy shows those. Of a field that
 * is not there, the text is empty.
 */
export class ToldTwice {
  readonly #latin1: Latin1;
  #start = 0;
  #end = 0;
  #againStart = 0;
  #againEnd = 0;
  isRepeated = false;

  constructor(latin1: Latin1) {
    this.#latin1 = latin1;
  }

  clear(): void {
    this.tell(0, 0);
    this.clearRepetition();
  }

  clearRepetition(): void {
    this.isRepeated = false;
  }

  tell(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
  }

  /** Throws MALFORMED where it was repeated before. */
  repeat(start: number, end: number): void {
    if (this.isRepeated) throw MALFORMED;
    this.isRepeated = true;
    this.#againStart = start;
    this.#againEnd = end;
  }

  /** What is told; undefined where the two differ. */
  agreed(bytes: Uint8Array): string | undefined {
    return this.isRepeated && !this.#isSame(bytes) ? undefined : this.#latin1(bytes, this.#start, this.#end);
  }

  #isSame(bytes: Uint8Array): boolean {
    const length = this.#end - this.#start;
    if (this.#againEnd - this.#againStart !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[this.#start + index] !== bytes[this.#againStart + index]) return false;
    }
    return true;
  }
}
