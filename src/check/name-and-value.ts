import { type KnownFields, MALFORMED, WireReader } from "./wire.ts";

/** The tags of `key` (1) and `value` (2), which both are length-delimited. */
const NAME_TAG = 0x0a;
const VALUE_TAG = 0x12;
/** The tag of `raw_value` (3). */
const RAW_VALUE_TAG = 0x1a;

/** Less than this, a length is one byte. */
const SHORT = 0x80;

/**
 * Where name and value of a header stand in the message: of a HeaderValue (key 1, value 2, raw_value 3), or of an entry of
 * the map `headers` (key 1, value 2). One object is enough for all headers.
 */
export class NameAndValue {
  nameStart = 0;
  nameEnd = 0;
  start = 0;
  end = 0;
  readonly #fields: WireReader;
  readonly #mayBeRaw: boolean;

  constructor(known: KnownFields) {
    this.#fields = new WireReader(known);
    this.#mayBeRaw = (known.once & (1 << (RAW_VALUE_TAG >>> 3))) !== 0;
  }

  /** Reads the field that `outer` came to. Throws MALFORMED as WireReader does, and where there are two values. */
  read(outer: WireReader): void {
    if (!this.#readShort(outer.bytes, outer.start, outer.end)) this.#readAny(outer);
  }

  /** As WireReader's. */
  leave(): void {
    this.#fields.leave();
  }

  /**
   * The name and then the value, both short, and nothing else: so nearly every header comes, and to look for just that saves a
   * tenth of reading a request. Returns false, and has read nothing, where it is anything else.
   */
  #readShort(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 4) return false;
    const nameLength = bytes[start + 1] as number;
    const nameEnd = start + 2 + nameLength;
    if (bytes[start] !== NAME_TAG || nameLength >= SHORT || nameEnd + 2 > end) return false;
    const tag = bytes[nameEnd];
    if (tag !== VALUE_TAG && !(tag === RAW_VALUE_TAG && this.#mayBeRaw)) return false;
    const length = bytes[nameEnd + 1] as number;
    if (length >= SHORT || nameEnd + 2 + length !== end) return false;
    this.nameStart = start + 2;
    this.nameEnd = nameEnd;
    this.start = nameEnd + 2;
    this.end = end;
    return true;
  }

  #readAny(outer: WireReader): void {
    const fields = this.#fields;
    fields.enter(outer);
    this.nameStart = this.nameEnd = this.start = this.end = 0;
    while (fields.next()) {
      if (fields.field === 1) {
        this.nameStart = fields.start;
        this.nameEnd = fields.end;
      } else if (fields.start !== fields.end) {
        if (this.start !== this.end) throw MALFORMED;
        this.start = fields.start;
        this.end = fields.end;
      }
    }
  }
}
