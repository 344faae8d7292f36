/** Thrown, as it is, for bytes that are not the message they should be. One object: a flood of them builds no stacks. */
export const MALFORMED = new Error("malformed protobuf");

/**
 * The fields of one message that are read, as bit sets of their numbers (1 to 31). All of them are length-delimited:
 * messages, strings or bytes.
 */
export interface KnownFields {
  /** May stand once. Twice is a doubt: of two readers one may take the first and one the last. */
  readonly once: number;
  readonly repeated: number;
}

/** Names the fields of a message that are read. */
export function fields(once: readonly number[], repeated: readonly number[] = []): KnownFields {
  const set = (numbers: readonly number[]) => numbers.reduce((bits, number) => bits | (1 << number), 0);
  return { once: set(once), repeated: set(repeated) };
}

/**
 * Reads protobuf's wire format (protobuf.dev/programming-guides/encoding) field by field over a part of a byte array.
 * Everything is bounded by the part's end. MALFORMED is thrown for what does not fit, for a known field of another wire
 * type or one too many, and for groups, which no message of Envoy's has.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  /** The number of the known field that `next` came to, and where its content begins and ends. */
  field = 0;
  start = 0;
  end = 0;
  #at: number;
  #seen = 0;
  #limit: number;
  readonly #known: KnownFields;

  constructor(bytes: Uint8Array, start: number, end: number, known: KnownFields) {
    this.bytes = bytes;
    this.#at = start;
    this.#limit = end;
    this.#known = known;
  }

  /** Comes to the next known field and returns true, or false at the end. All other fields are passed over. */
  next(): boolean {
    while (this.#at < this.#limit) {
      const tag = this.#varint32();
      const field = tag >>> 3;
      const bit = field < 32 ? 1 << field : 0;
      if (field === 0) throw MALFORMED;
      if ((tag & 7) !== LENGTH_DELIMITED) {
        if (bit & (this.#known.once | this.#known.repeated)) throw MALFORMED;
        this.#skip(tag & 7);
        continue;
      }
      const length = this.#varint32();
      const start = this.#at;
      this.#at = start + length;
      if (this.#at > this.#limit) throw MALFORMED;
      if (bit & this.#known.once) {
        if (bit & this.#seen) throw MALFORMED;
        this.#seen |= bit;
      } else if (!(bit & this.#known.repeated)) {
        continue;
      }
      this.field = field;
      this.start = start;
      this.end = this.#at;
      return true;
    }
    return false;
  }

  /** A reader of the message in the field that `next` came to. */
  message(known: KnownFields): WireReader {
    return new WireReader(this.bytes, this.start, this.end, known);
  }

  /** Goes on with the message in the field that `outer` came to. One reader is enough for messages that come by the dozen. */
  enter(outer: WireReader): void {
    this.#at = outer.start;
    this.#limit = outer.end;
    this.#seen = 0;
  }

  /** The content of the field that `next` came to, one character a byte. */
  byteString(): string {
    return byteString(this.bytes, this.start, this.end);
  }

  #skip(type: number): void {
    if (type === 0) this.#skipVarint();
    else if (type === 1) this.#at += 8;
    else if (type === 5) this.#at += 4;
    else throw MALFORMED;
    if (this.#at > this.#limit) throw MALFORMED;
  }

  /** A tag or a length: at most 32 bits in at most 5 bytes. */
  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#limit) throw MALFORMED;
      const byte = this.bytes[this.#at++] as number;
      if (shift === 28 && byte > 0x0f) throw MALFORMED;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw MALFORMED;
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#limit) throw MALFORMED;
      if ((this.bytes[this.#at++] as number) < 0x80) return;
    }
    throw MALFORMED;
  }
}

const LENGTH_DELIMITED = 2;

/**
 * The bytes between two positions, one character (U+0000 to U+00FF) a byte: nothing is decoded, so nothing is lost. Eight
 * at once, because that is twice as fast for texts of this length as one by one, and no slower than `TextDecoder`.
 */
export function byteString(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    text += String.fromCharCode(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    );
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
