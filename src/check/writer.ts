/** Room for the usual answer; grows where an answer is larger. */
const INITIAL_BYTES = 4096;

/**
 * Writes protobuf's wire format from the end to the beginning: a message's length is known once its content stands
 * behind it, so nothing is measured in advance. Fields are therefore written last first. Texts must be ASCII.
 */
export class BackwardWriter {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #at = INITIAL_BYTES;

  /** Forgets what was written. */
  reset(): void {
    this.#at = this.#buffer.length;
  }

  /** A copy of what was written since the last reset. */
  finish(): Uint8Array {
    return this.#buffer.slice(this.#at);
  }

  /** How many bytes were written: taken before a message's content and given to `message` after it. */
  mark(): number {
    return this.#buffer.length - this.#at;
  }

  /** Makes a field of all that was written since `mark`. */
  message(field: number, mark: number): void {
    this.#varint(this.mark() - mark);
    this.#tag(field, 2);
  }

  text(field: number, text: string): void {
    const { length } = text;
    this.#reserve(length);
    this.#at -= length;
    for (let index = 0; index < length; index++) this.#buffer[this.#at + index] = text.charCodeAt(index);
    this.#varint(length);
    this.#tag(field, 2);
  }

  /** A whole number from 0 to 2^31 - 1; an enum or an int32. */
  number(field: number, value: number): void {
    this.#varint(value);
    this.#tag(field, 0);
  }

  #tag(field: number, type: number): void {
    this.#varint((field << 3) | type);
  }

  #varint(value: number): void {
    const bytes = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    this.#reserve(bytes);
    this.#at -= bytes;
    let rest = value;
    for (let index = 0; index < bytes; index++) {
      this.#buffer[this.#at + index] = index === bytes - 1 ? rest : (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    const written = this.mark();
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, written + bytes));
    grown.set(this.#buffer.subarray(this.#at), grown.length - written);
    this.#buffer = grown;
    this.#at = grown.length - written;
  }
}
