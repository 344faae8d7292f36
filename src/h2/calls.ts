import { Bodies } from "./bodies.ts";
import { ConnectionError } from "./connection-error.ts";
import { FLAG, MAX_INT31 } from "./frame.ts";
import type { HeaderBlock } from "./header-assembler.ts";
import { type CallParts, Replies } from "./replies.ts";
import { Requests } from "./requests.ts";

/** What comes on the streams of one connection, as the state of each allows (RFC 9113 §5.1). */
export class Calls {
  readonly replies: Replies;
  readonly #parts: CallParts;
  readonly #bodies: Bodies;
  readonly #requests: Requests;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.replies = new Replies(parts);
    this.#bodies = new Bodies(parts, this.replies);
    this.#requests = new Requests(parts, this.replies, this.#bodies);
  }

  /** A request begins, or ends with trailers. */
  onBlock(block: HeaderBlock): void {
    this.#requests.onBlock(block);
  }

  /** A part of a body (RFC 9113 §6.1). */
  onData(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const { intake, streams } = this.#parts;
    let from = start;
    let until = end;
    if (flags & FLAG.padded) {
      if (start < end) until -= bytes[from++] as number;
      if (start === end || until < from) throw new ConnectionError("protocol", "padding that is longer than its frame");
    }
    intake.count(end - start);
    streams.checkBegun(streamId, "data");
    const stream = streams.open.get(streamId);
    if (stream === undefined) {
      this.#requests.onLate(streamId);
      return;
    }
    // The request has ended, and its answer waits.
    if (stream.answer !== undefined) {
      this.replies.reset(streamId, "streamClosed");
      return;
    }
    stream.receiveWindow -= end - start;
    if (stream.receiveWindow < 0) {
      this.replies.reset(streamId, "flowControl");
      return;
    }
    if (flags & FLAG.endStream) this.#bodies.end(stream, bytes, from, until);
    else this.#bodies.add(stream, bytes, from, until);
  }

  /** The peer gives up a call (RFC 9113 §6.4). */
  onReset(streamId: number): void {
    const { service, streams, nuisance } = this.#parts;
    streams.checkBegun(streamId, "a reset");
    service.counters.resetsReceived++;
    const stream = streams.open.get(streamId);
    if (stream !== undefined) this.replies.close(stream, "resetByPeer");
    nuisance.spend("resets");
  }

  /** The peer takes more of an answer, perhaps before there is one (RFC 9113 §6.9). */
  onWindowUpdate(streamId: number, increment: number): void {
    const { streams, nuisance } = this.#parts;
    streams.checkBegun(streamId, "a window update");
    nuisance.spend("window updates");
    const stream = streams.open.get(streamId);
    if (stream === undefined) return;
    if (increment === 0) {
      this.replies.reset(streamId, "protocol");
      return;
    }
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_INT31) {
      this.replies.reset(streamId, "flowControl");
      return;
    }
    if (stream.answer !== undefined) this.replies.pump();
  }

  /** Time has passed: resets the calls that have waited for too long. */
  expire(): void {
    const { service, streams, intake } = this.#parts;
    const startedBefore = service.clock.ms - service.limits.requestTimeoutMs;
    for (const stream of streams.open.values()) {
      if (stream.sinceMs <= startedBefore) this.replies.reset(stream.id, "cancel");
    }
    intake.offer();
  }

  /** The connection is gone: lets go of everything that was held for it. */
  abandon(): void {
    for (const stream of this.#parts.streams.open.values()) this.replies.close(stream, "resetByPeer");
  }
}
