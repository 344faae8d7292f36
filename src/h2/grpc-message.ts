import { GRPC_STATUS, grpcRefusal, type Refusal } from "./answer.ts";
import { readUint32 } from "./frame.ts";

/**
 * In front of each message: one byte that says whether it is compressed, and four with its length ("Length-Prefixed-
 * Message", github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 */
export const PREFIX_BYTES = 5;

const COMPRESSED = grpcRefusal(GRPC_STATUS.unimplemented, "compressed messages are not supported");
const TOO_LARGE = grpcRefusal(GRPC_STATUS.resourceExhausted, "the message is larger than this server takes");
const TOO_MANY = grpcRefusal(GRPC_STATUS.unimplemented, "more than one message in a call that takes one");
const NONE = grpcRefusal(GRPC_STATUS.unimplemented, "no message in a call that takes one");
const CUT_OFF = grpcRefusal(GRPC_STATUS.internal, "the message ended before its length");

/** Returns the message that a whole body holds, in the body's own memory, or why it is not served. */
export function readMessage(body: Buffer, start: number, end: number, maxBytes: number): Uint8Array | Refusal {
  const length = end - start - PREFIX_BYTES;
  if (length < 0) return end === start ? NONE : CUT_OFF;
  const announced = readUint32(body, start + 1);
  if (body[start] !== 0 || announced > maxBytes || announced < length) return prefixProblem(body, start, maxBytes);
  if (announced > length) return CUT_OFF;
  return body.subarray(start + PREFIX_BYTES, end);
}

function prefixProblem(body: Uint8Array, start: number, maxBytes: number): Refusal {
  if (body[start] !== 0) return COMPRESSED;
  return readUint32(body, start + 1) > maxBytes ? TOO_LARGE : TOO_MANY;
}

/**
 * Collects a body that comes in pieces. It grows with what has come, never to what the prefix announces, and keeps copies:
 * a piece of what was read would hold on to all of it.
 */
export class MessageBuffer {
  readonly #maxBytes: number;
  #bytes = EMPTY;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How long the body is to become, or undefined before its prefix is there. */
  get expectedBytes(): number | undefined {
    return this.#length < PREFIX_BYTES ? undefined : PREFIX_BYTES + readUint32(this.#bytes, 1);
  }

  /** Takes the next piece. Returns why the call is not served, as soon as that is known. */
  append(bytes: Buffer, start: number, end: number): Refusal | undefined {
    const length = this.#length + end - start;
    if (this.#bytes.length < length) this.#grow(length);
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    const expected = this.expectedBytes;
    if (expected === undefined) return undefined;
    const isServed = this.#bytes[0] === 0 && expected <= PREFIX_BYTES + this.#maxBytes && length <= expected;
    return isServed ? undefined : prefixProblem(this.#bytes, 0, this.#maxBytes);
  }

  /** The message, once the body has ended, or why it is not served. */
  finish(): Uint8Array | Refusal {
    return readMessage(this.#bytes, 0, this.#length, this.#maxBytes);
  }

  #grow(length: number): void {
    const doubled = Math.max(length, 2 * this.#bytes.length);
    const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(doubled, this.expectedBytes ?? length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

const EMPTY = Buffer.alloc(0);
