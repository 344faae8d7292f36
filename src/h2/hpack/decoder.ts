import { ConnectionError } from "../connection-error.ts";
import { Field } from "../field.ts";
import { HEADER_TABLE_BYTES } from "../frame.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { decodeHuffman, maxDecodedLength } from "./huffman.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** Takes the fields of a block in their order. */
export interface FieldSink {
  add(field: Field): void;
}

/**
 * Decodes the header blocks of one connection (RFC 7541). Each block must be decoded, wanted or not, since it changes the
 * table for those that follow. Throws ConnectionError (COMPRESSION_ERROR, RFC 9113 §4.3) for what is not HPACK.
 */
export class HpackDecoder {
  /** Our settings say nothing of it. */
  readonly #table = new DynamicTable(HEADER_TABLE_BYTES);
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;

  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#sizeUpdates();
    while (this.#at < end) sink.add(this.#field(bytes[this.#at] as number));
    this.#bytes = NOTHING;
  }

  /** A new size for the table may stand at the beginning of a block only (RFC 7541 §4.2, §6.3). */
  #sizeUpdates(): void {
    while (this.#at < this.#end && ((this.#bytes[this.#at] as number) & 0xe0) === 0x20) {
      if (!this.#table.resize(this.#integer(0x1f))) fail("a table larger than was offered");
    }
  }

  #field(byte: number): Field {
    // RFC 7541 §6.1: both name and value stand in a table.
    if (byte & 0x80) return this.#indexed(this.#integer(0x7f));
    // §6.2.1: a literal that is to be remembered.
    if (byte & 0x40) {
      const field = this.#literal(0x3f);
      this.#table.add(field);
      return field;
    }
    if (byte & 0x20) return fail("a change of the table's size behind a field");
    // §6.2.2 and §6.2.3: not remembered, and never to be; that differs only for those who pass fields on.
    return this.#literal(0x0f);
  }

  #indexed(index: number): Field {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table.get(index - STATIC_TABLE.length - 1);
    return field ?? fail("an index that is in no table");
  }

  #literal(mask: number): Field {
    const index = this.#integer(mask);
    if (index !== 0) return this.#indexed(index).withValue(this.#string());
    const name = this.#string();
    return new Field(name, this.#string());
  }

  /** RFC 7541 §5.1, up to 2^28 and a little, far above anything that fits into a block. */
  #integer(mask: number): number {
    let value = (this.#bytes[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.#at >= this.#end) fail("an integer that is cut off");
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return fail("an integer of more than five bytes");
  }

  /** RFC 7541 §5.2, one character a byte. */
  #string(): string {
    if (this.#at >= this.#end) fail("a field that is cut off");
    const isHuffman = ((this.#bytes[this.#at] as number) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const start = this.#at;
    this.#at = start + length;
    if (this.#at > this.#end) fail("a string that is cut off");
    return isHuffman ? this.#huffman(start) : this.#bytes.toString("latin1", start, this.#at);
  }

  #huffman(start: number): string {
    const room = maxDecodedLength(this.#at - start);
    // One for all: a string is made of it before the next is decoded.
    const target = room <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(room);
    const length = decodeHuffman(this.#bytes, start, this.#at, target);
    return length < 0 ? fail("a string that is not in the Huffman code") : target.toString("latin1", 0, length);
  }
}

const NOTHING = Buffer.alloc(0);
/** Holds what nearly every string comes to; a longer one pays for its own. */
const SCRATCH = Buffer.allocUnsafeSlow(16_384);

function fail(what: string): never {
  throw new ConnectionError("compression", `a header block with ${what}`);
}
