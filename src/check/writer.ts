/**
 * How much memory is taken at once. Some 150 answers share it, since taking memory for each costs ten times what writing
 * it does; it is given back when the last of them is gone.
 */
const SLAB_BYTES = 64 * 1024;

/** Where less than this is left, the next answer gets a new slab: nearly every answer is smaller, and grows no further. */
const USUAL_BYTES = 2 * 1024;

/** Fields that many messages have in common, written once. */
export function piece(write: (writer: BackwardWriter) => void): Uint8Array {
  const writer = new BackwardWriter();
  write(writer);
  return writer.finish().slice();
}

/**
 * Writes protobuf's wire format from the end to the beginning: a message's length is known once its content stands
 * behind it, so nothing is measured in advance. Fields are therefore written last first. Texts hold one character a byte,
 * and must be UTF-8: what reads them refuses the whole answer otherwise.
 */
export class BackwardWriter {
  #slab = new Uint8Array(SLAB_BYTES);
  /** What is being written lies from `#at` to `#end`; what lies behind has been handed out. */
  #at = SLAB_BYTES;
  #end = SLAB_BYTES;

  /** Forgets what was written since the last `finish`. */
  reset(): void {
    this.#at = this.#end;
  }

  /** What was written since the last `finish`. It is not touched again. */
  finish(): Uint8Array {
    const written = this.#slab.subarray(this.#at, this.#end);
    this.#end = this.#at;
    if (this.#at < USUAL_BYTES) this.#move(SLAB_BYTES);
    return written;
  }

  /** How many bytes were written: taken before a message's content and given to `message` after it. */
  mark(): number {
    return this.#end - this.#at;
  }

  /** Makes a field of all that was written since `mark`. */
  message(field: number, mark: number): void {
    this.#varint(this.mark() - mark);
    this.#tag(field, 2);
  }

  text(field: number, text: string): void {
    const { length } = text;
    this.#reserve(length);
    const at = this.#at - length;
    const slab = this.#slab;
    for (let index = 0; index < length; index++) slab[at + index] = text.charCodeAt(index);
    this.#at = at;
    this.#varint(length);
    this.#tag(field, 2);
  }

  /** Fields that were written before, by `piece`. */
  piece(written: Uint8Array): void {
    const { length } = written;
    this.#reserve(length);
    this.#at -= length;
    this.#slab.set(written, this.#at);
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
    if (value < 0x80 && this.#at > 0) {
      this.#slab[--this.#at] = value;
      return;
    }
    const bytes = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    this.#reserve(bytes);
    this.#at -= bytes;
    let rest = value;
    for (let index = 0; index < bytes; index++) {
      this.#slab[this.#at + index] = index === bytes - 1 ? rest : (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  #reserve(bytes: number): void {
    if (this.#at < bytes) this.#move(2 * (this.mark() + bytes) + SLAB_BYTES);
  }

  /** Goes on in a new slab, with what was written so far at its end. */
  #move(size: number): void {
    const written = this.#slab.subarray(this.#at, this.#end);
    this.#slab = new Uint8Array(size);
    this.#end = size;
    this.#at = size - written.length;
    this.#slab.set(written, this.#at);
  }
}
