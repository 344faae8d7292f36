import { ConnectionError } from "./connection-error.ts";
import { FLAG, readInt31 } from "./frame.ts";

/** A header block that has come whole. It is valid until the next one begins. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly isEndOfStream: boolean;
  /** A stream that is to wait for itself (RFC 9113 §5.3.1 of the older RFC 7540, which some still send). */
  readonly dependsOnItself: boolean;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Puts header blocks together from a HEADERS frame and the CONTINUATION frames behind it (RFC 9113 §4.3, §6.2, §6.10). */
export class HeaderAssembler implements HeaderBlock {
  streamId = 0;
  isEndOfStream = false;
  dependsOnItself = false;
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  readonly #maxBytes: number;
  #isOpen = false;

  /** A block is never longer than the list of headers it stands for, so that the same limit serves for both. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a block has begun and not ended: nothing but its CONTINUATION may come then. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes a HEADERS frame and returns whether the block is whole. */
  begin(flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    // What the flags announce must be there before it is looked at.
    const announced = (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? PRIORITY_BYTES : 0);
    if (announced > end - start) throw new ConnectionError("frameSize", "a HEADERS frame shorter than its flags say");
    let from = start;
    let until = end;
    if (flags & FLAG.padded) until -= bytes[from++] as number;
    this.dependsOnItself = (flags & FLAG.priority) !== 0 && readInt31(bytes, from) === streamId;
    if (flags & FLAG.priority) from += PRIORITY_BYTES;
    if (from > until) throw new ConnectionError("protocol", "padding that is longer than its frame");
    this.streamId = streamId;
    this.isEndOfStream = (flags & FLAG.endStream) !== 0;
    this.#isOpen = (flags & FLAG.endHeaders) === 0;
    if (this.#isOpen) this.#keep(bytes, from, until);
    else this.#point(bytes, from, until);
    return !this.#isOpen;
  }

  /** Takes a CONTINUATION frame and returns whether the block is whole. */
  continue(flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.#isOpen || streamId !== this.streamId) {
      throw new ConnectionError("protocol", "a CONTINUATION of nothing");
    }
    this.#append(bytes, start, end);
    this.#isOpen = (flags & FLAG.endHeaders) === 0;
    return !this.#isOpen;
  }

  /** Forgets the bytes of a block that has been read. */
  clear(): void {
    this.#point(NOTHING, 0, 0);
  }

  #point(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#point(Buffer.allocUnsafeSlow(end - start), 0, end - start);
    bytes.copy(this.bytes, 0, start, end);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const length = this.end + end - start;
    if (length > this.#maxBytes) throw new ConnectionError("enhanceYourCalm", "a header block larger than was offered");
    if (length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * this.bytes.length, this.#maxBytes)));
      this.bytes.copy(grown, 0, 0, this.end);
      this.bytes = grown;
    }
    bytes.copy(this.bytes, this.end, start, end);
    this.end = length;
  }
}

const PRIORITY_BYTES = 5;
const NOTHING = Buffer.alloc(0);
