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
  bytes: Uint8Array = NOTHING;
  /** The number of the known field that `next` came to, and where its content begins and ends. */
  field = 0;
  start = 0;
  end = 0;
  #at = 0;
  #limit = 0;
  #seen = 0;
  /** All known fields, and those of them that may stand once. */
  readonly #known: number;
  readonly #once: number;

  constructor({ once, repeated }: KnownFields) {
    this.#known = once | repeated;
    this.#once = once;
  }

  /** Goes on with the message between two positions. One reader is enough for messages that come by the dozen. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.#at = start;
    this.#limit = end;
    this.#seen = 0;
  }

  /** Goes on with the message in the field that `outer` came to. */
  enter(outer: WireReader): void {
    this.begin(outer.bytes, outer.start, outer.end);
  }

  /** Lets go of the bytes: a secret may stand in them. */
  leave(): void {
    this.begin(NOTHING, 0, 0);
  }

  /** Comes to the next known field and returns true, or false at the end. All other fields are passed over. */
  next(): boolean {
    while (this.#at < this.#limit) {
      const tag = this.#varint32();
      const field = tag >>> 3;
      const known = field < 32 ? (1 << field) & this.#known : 0;
      if (field === 0) throw MALFORMED;
      if ((tag & 7) !== LENGTH_DELIMITED) {
        if (known !== 0) throw MALFORMED;
        this.#skip(tag & 7);
        continue;
      }
      const length = this.#varint32();
      const start = this.#at;
      this.#at = start + length;
      if (this.#at > this.#limit) throw MALFORMED;
      if (known === 0) continue;
      if ((known & this.#seen) !== 0) throw MALFORMED;
      this.#seen |= known & this.#once;
      this.field = field;
      this.start = start;
      this.end = this.#at;
      return true;
    }
    return false;
  }

  #skip(type: number): void {
    if (type === 0) this.#skipVarint();
    else if (type === 1) this.#at += 8;
    else if (type === 5) this.#at += 4;
    else throw MALFORMED;
    if (this.#at > this.#limit) throw MALFORMED;
  }

  /** A tag or a length. Most fit into one byte. */
  #varint32(): number {
    const byte = this.#at < this.#limit ? (this.bytes[this.#at] as number) : 0x80;
    if (byte >= 0x80) return this.#longVarint32();
    this.#at++;
    return byte;
  }

  /** At most 32 bits in at most 5 bytes. */
  #longVarint32(): number {
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

const NOTHING = new Uint8Array(0);
