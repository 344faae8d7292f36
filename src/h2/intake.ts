import { ConnectionError } from "./connection-error.ts";
import { DEFAULT_WINDOW_BYTES, FRAME } from "./frame.ts";
import type { Limits } from "./limits.ts";
import type { Memory } from "./memory.ts";
import type { Outbox } from "./outbox.ts";
import type { Stream } from "./stream.ts";

/**
 * SETTINGS_INITIAL_WINDOW_SIZE: what a peer may send of a call before anything is granted. Nearly every check fits, so
 * that no WINDOW_UPDATE is needed for it.
 */
export const INITIAL_WINDOW_BYTES = 16_384;

/**
 * What a peer may send (RFC 9113 §6.9). A window is a promise of memory: each call has a small one from the start, and a
 * longer message is granted all that it lacks at once, as soon as its length is known and there is room for it. So many
 * bytes as one message may have are promised to long messages at a time; the others wait in their order.
 */
export class Intake {
  readonly #limits: Limits;
  readonly #memory: Memory;
  readonly #outbox: Outbox;
  /** All that can be under way: no more is promised to the streams together, so this one need not hold anybody back. */
  readonly #maxWindow: number;
  #window = DEFAULT_WINDOW_BYTES;
  #reservedBytes = 0;
  readonly #waiting = new Set<Stream>();
  /** Until the peer has acknowledged our settings its streams begin with the default (RFC 9113 §6.9.2). */
  initialWindow = DEFAULT_WINDOW_BYTES;

  constructor(limits: Limits, memory: Memory, outbox: Outbox) {
    this.#limits = limits;
    this.#memory = memory;
    this.#outbox = outbox;
    this.#maxWindow = limits.maxStreams * INITIAL_WINDOW_BYTES + limits.maxMessageBytes;
  }

  /** Counts a DATA frame, padding included, and gives its room on the connection back, whatever stream it is of. */
  count(bytes: number): void {
    this.#window -= bytes;
    if (this.#window < 0) throw new ConnectionError("flowControl", "more data than the connection's window");
    if (this.#window < this.#maxWindow / 2) this.widen();
  }

  /** Opens the connection's window as far as it goes. */
  widen(): void {
    this.#outbox.number(FRAME.windowUpdate, 0, this.#maxWindow - this.#window);
    this.#window = this.#maxWindow;
  }

  /** The peer has acknowledged our settings: from here on it counts with our window, on open streams as well. */
  acknowledged(streams: Iterable<Stream>): void {
    const change = INITIAL_WINDOW_BYTES - this.initialWindow;
    this.initialWindow = INITIAL_WINDOW_BYTES;
    for (const stream of streams) {
      stream.receiveWindow += change;
      if (stream.message !== undefined && stream.heldBytes > 0) this.#grant(stream);
    }
  }

  /** A part of a message has come. Returns false where there is no memory for the rest of it. */
  advance(stream: Stream): boolean {
    const expected = stream.message?.expectedBytes;
    if (expected === undefined || this.#waiting.has(stream)) return true;
    if (stream.heldBytes > 0) this.#grant(stream);
    else if (expected <= INITIAL_WINDOW_BYTES) return this.hold(stream, expected);
    else if (!this.#reserve(stream, expected)) this.#waiting.add(stream);
    return true;
  }

  /** Gives back what was held for a stream that has ended in whatever way. */
  release(stream: Stream): void {
    this.#waiting.delete(stream);
    if (stream.heldBytes === 0) return;
    this.#memory.give(stream.heldBytes);
    if (stream.isReserved) this.#reservedBytes -= stream.heldBytes;
    stream.heldBytes = 0;
    stream.isReserved = false;
    this.offer();
  }

  /** Lets those that wait have what room there is. To be called now and then: another connection may have left some. */
  offer(): void {
    for (const stream of this.#waiting) {
      if (!this.#reserve(stream, stream.message?.expectedBytes ?? 0)) return;
      this.#waiting.delete(stream);
    }
  }

  /** Counts memory for a stream, or returns false where there is none left. */
  hold(stream: Stream, bytes: number): boolean {
    if (!this.#memory.take(bytes)) return false;
    stream.heldBytes = bytes;
    return true;
  }

  #reserve(stream: Stream, bytes: number): boolean {
    const isAlone = this.#reservedBytes === 0;
    if (!isAlone && this.#reservedBytes + bytes > this.#limits.maxMessageBytes) return false;
    if (!this.hold(stream, bytes)) return false;
    this.#reservedBytes += bytes;
    stream.isReserved = true;
    this.#grant(stream);
    return true;
  }

  /** Padding takes from the window and brings nothing, so that this may be needed more than once. */
  #grant(stream: Stream): void {
    const lacks = stream.heldBytes - stream.bodyBytes - stream.receiveWindow;
    if (lacks <= 0) return;
    stream.receiveWindow += lacks;
    this.#outbox.number(FRAME.windowUpdate, stream.id, lacks);
  }
}
