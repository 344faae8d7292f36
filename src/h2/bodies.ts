import { GRPC_STATUS, grpcRefusal, Refusal } from "./answer.ts";
import { MessageBuffer, readMessage } from "./grpc-message.ts";
import { INITIAL_WINDOW_BYTES } from "./intake.ts";
import type { CallParts, Replies } from "./replies.ts";
import type { Stream } from "./stream.ts";

const NO_MEMORY = grpcRefusal(GRPC_STATUS.resourceExhausted, "too many long messages at the same time");

/** A part of a body that is smaller brings its call so little nearer to its answer that it counts as a nuisance. */
const SMALL_PART_BYTES = 256;

/** The bodies of one connection's requests (RFC 9113 §8.1), until each is a message that can be answered. */
export class Bodies {
  readonly #parts: CallParts;
  readonly #replies: Replies;

  constructor(parts: CallParts, replies: Replies) {
    this.#parts = parts;
    this.#replies = replies;
  }

  /** Takes a part that is not the last. */
  add(stream: Stream, bytes: Buffer, start: number, end: number): void {
    const { service, nuisance, intake } = this.#parts;
    const { target, contentLength } = stream;
    stream.bodyBytes += end - start;
    if (contentLength !== -1 && stream.bodyBytes > contentLength) {
      this.#replies.reset(stream.id, "protocol");
      return;
    }
    if (target instanceof Refusal) {
      // Its end would be waited for, but nothing is granted to a body that nobody reads.
      if (stream.receiveWindow < INITIAL_WINDOW_BYTES / 2) this.#replies.refuseEarly(stream, target);
    } else {
      stream.message ??= new MessageBuffer(service.limits.maxMessageBytes);
      const refusal = stream.message.append(bytes, start, end);
      if (refusal !== undefined) this.#replies.refuseEarly(stream, refusal);
      else if (!intake.advance(stream)) this.#replies.refuseEarly(stream, NO_MEMORY);
    }
    if (end - start < SMALL_PART_BYTES) nuisance.spend("data in tiny pieces");
  }

  /** Takes the last part, which may be nothing: the request is whole, and answered. */
  end(stream: Stream, bytes: Buffer, start: number, end: number): void {
    const { target, contentLength } = stream;
    stream.bodyBytes += end - start;
    if (contentLength !== -1 && contentLength !== stream.bodyBytes) {
      this.#replies.reset(stream.id, "protocol");
      return;
    }
    if (target instanceof Refusal) {
      this.#replies.refuse(stream, target);
      return;
    }
    const message = this.#readMessage(stream, bytes, start, end);
    if (message instanceof Refusal) this.#replies.refuse(stream, message);
    else this.#replies.call(stream, target, message);
  }

  #readMessage(stream: Stream, bytes: Buffer, start: number, end: number): Uint8Array | Refusal {
    const { message } = stream;
    if (message === undefined) return readMessage(bytes, start, end, this.#parts.service.limits.maxMessageBytes);
    return message.append(bytes, start, end) ?? message.finish();
  }
}
