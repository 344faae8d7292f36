import { ANSWER_HEAD, ANSWER_TRAILERS } from "./answer.ts";
import { ConnectionError } from "./connection-error.ts";
import { DEFAULT_WINDOW_BYTES, FLAG, FRAME, MAX_FRAME_BYTES, MAX_INT31, writeUint32 } from "./frame.ts";
import { PREFIX_BYTES } from "./grpc-message.ts";
import type { Outbox } from "./outbox.ts";
import type { Stream } from "./stream.ts";

/** What may be sent (RFC 9113 §6.9): nearly every answer at once, and one that the peer's windows stop as they open. */
export class Sender {
  readonly #outbox: Outbox;
  #window = DEFAULT_WINDOW_BYTES;
  readonly #blocked = new Set<Stream>();
  /** What the peer's SETTINGS_INITIAL_WINDOW_SIZE gives to each new stream. */
  initialWindow = DEFAULT_WINDOW_BYTES;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Whether so many bytes can leave at once, in one frame. */
  fits(stream: Stream, bytes: number): boolean {
    return bytes <= this.#window && bytes <= stream.sendWindow && bytes <= MAX_FRAME_BYTES;
  }

  /** Sends a message that fits, with its prefix. */
  send(stream: Stream, message: Uint8Array): void {
    this.#window -= PREFIX_BYTES + message.length;
    this.#outbox.answer(stream.id, message);
  }

  /** Begins an answer that does not fit. The message is copied: its memory may be that of the request. */
  begin(stream: Stream, message: Uint8Array): void {
    const answer = Buffer.allocUnsafeSlow(PREFIX_BYTES + message.length);
    answer[0] = 0;
    writeUint32(answer, 1, message.length);
    answer.set(message, PREFIX_BYTES);
    this.#outbox.prepared(ANSWER_HEAD, stream.id);
    this.#block(stream, answer, true);
  }

  /** Begins an answer of plain HTTP, whose body ends it. */
  beginPlain(stream: Stream, head: Buffer, body: Buffer): void {
    this.#outbox.prepared(head, stream.id);
    this.#block(stream, body, false);
  }

  /** Sends as much of the waiting answers as the windows allow, and returns the streams whose answer is complete. */
  pump(): Stream[] {
    const complete: Stream[] = [];
    for (const stream of this.#blocked) {
      if (this.#window <= 0) break;
      if (!this.#pumpOne(stream)) continue;
      this.#blocked.delete(stream);
      complete.push(stream);
    }
    return complete;
  }

  /** A stream that will not be answered any more. */
  forget(stream: Stream): void {
    this.#blocked.delete(stream);
  }

  /** Opens the connection's window. Throws ConnectionError beyond 2^31 - 1 (RFC 9113 §6.9.1). */
  widen(increment: number): void {
    this.#window += increment;
    if (this.#window > MAX_INT31) throw new ConnectionError("flowControl", "a connection's window beyond 2^31 - 1");
  }

  /** Changes the window that streams begin with, and that of those that are open, by as much (RFC 9113 §6.9.2). */
  changeInitialWindow(bytes: number, streams: Iterable<Stream>): void {
    const change = bytes - this.initialWindow;
    this.initialWindow = bytes;
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_INT31) {
        throw new ConnectionError("flowControl", "settings that open a stream's window beyond 2^31 - 1");
      }
    }
  }

  #block(stream: Stream, answer: Buffer, hasTrailers: boolean): void {
    stream.answer = answer;
    stream.hasTrailers = hasTrailers;
    this.#blocked.add(stream);
  }

  #pumpOne(stream: Stream): boolean {
    const answer = stream.answer as Buffer;
    while (stream.sentBytes < answer.length) {
      const left = answer.length - stream.sentBytes;
      const bytes = Math.min(left, this.#window, stream.sendWindow, MAX_FRAME_BYTES);
      if (bytes <= 0) return false;
      const flags = bytes === left && !stream.hasTrailers ? FLAG.endStream : 0;
      this.#outbox.frame(FRAME.data, flags, stream.id, answer.subarray(stream.sentBytes, stream.sentBytes + bytes));
      stream.sentBytes += bytes;
      stream.sendWindow -= bytes;
      this.#window -= bytes;
    }
    if (stream.hasTrailers) this.#outbox.prepared(ANSWER_TRAILERS, stream.id);
    return true;
  }
}
