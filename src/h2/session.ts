import { Agreement } from "./agreement.ts";
import { Calls } from "./calls.ts";
import { ConnectionError } from "./connection-error.ts";
import { Drain, sendPingAck } from "./drain.ts";
import { FLAG, FRAME, MAX_INT31, readInt31 } from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { checkFrameShape } from "./frame-shape.ts";
import { HeaderAssembler } from "./header-assembler.ts";
import { Intake } from "./intake.ts";
import { Nuisance } from "./nuisance.ts";
import type { Outbox } from "./outbox.ts";
import { Sender } from "./sender.ts";
import type { Service } from "./service.ts";
import { Streams } from "./streams.ts";

/** Half of the numbers that streams can have (RFC 9113 §5.1.1): what is begun meanwhile finds the other half. */
const LAST_BUT_HALF = MAX_INT31 / 2;

/** Asks a silent peer whether it is there. */
const KEEPALIVE = Buffer.alloc(8);

/** One connection of HTTP/2 behind its preface: frames in, frames out, no socket and no time of its own. */
export class Session implements FrameSink {
  readonly drain: Drain;
  readonly #reader = new FrameReader();
  readonly #headers: HeaderAssembler;
  readonly #streams: Streams;
  readonly #sender: Sender;
  readonly #nuisance: Nuisance;
  readonly #agreement: Agreement;
  readonly #calls: Calls;
  readonly #service: Service;
  readonly #outbox: Outbox;

  constructor(service: Service, outbox: Outbox) {
    const { limits, counters, memory } = service;
    this.#service = service;
    this.#outbox = outbox;
    this.#headers = new HeaderAssembler(limits.maxHeaderListBytes);
    this.#streams = new Streams(limits.maxStreams);
    this.#sender = new Sender(outbox);
    this.#nuisance = new Nuisance(limits, counters);
    const parts = {
      service,
      outbox,
      nuisance: this.#nuisance,
      streams: this.#streams,
      intake: new Intake(limits, memory, outbox),
      sender: this.#sender,
    };
    this.#agreement = new Agreement(parts);
    this.#calls = new Calls(parts);
    this.drain = new Drain(outbox, this.#streams, counters);
  }

  /** The highest number of a stream that was taken. */
  get lastStreamId(): number {
    return this.#streams.lastId;
  }

  /** Tells apart what the peer owes, so that it can be told how long it has owed it; undefined where it owes nothing. */
  get owed(): number | undefined {
    if (!this.#agreement.isHeard) return -1;
    if (!this.#agreement.isAcknowledged) return -2;
    if (this.#headers.isOpen) return -3 - this.#streams.lastId;
    return this.#reader.isMidFrame ? this.#reader.cutOff : undefined;
  }

  /** Our side of the preface (RFC 9113 §3.4). */
  greet(): void {
    this.#agreement.tell(this.#service.limits);
  }

  /** Takes what has come. Throws ConnectionError where the peer breaks the rules. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk, this);
    if (this.#streams.lastId > LAST_BUT_HALF && !this.drain.isBegun) this.drain.begin();
  }

  ping(): void {
    this.#outbox.frame(FRAME.ping, 0, 0, KEEPALIVE);
  }

  /** Time has passed. */
  tick(elapsedMs: number): void {
    this.#nuisance.refill(elapsedMs);
    this.#calls.expire();
  }

  /** The connection is gone. */
  abandon(): void {
    this.#calls.abandon();
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#agreement.isHeard) this.#agreement.hear(type, flags);
    if (this.#headers.isOpen && type !== FRAME.continuation) {
      throw new ConnectionError("protocol", "a frame within a header block");
    }
    if (type === FRAME.data && streamId > 0) {
      this.#calls.onData(flags, streamId, bytes, start, end);
      return;
    }
    checkFrameShape(type, streamId, end - start);
    if (type === FRAME.headers) {
      if (this.#headers.begin(flags, streamId, bytes, start, end)) this.#onBlock();
    } else if (type === FRAME.continuation) {
      this.#nuisance.spend("header blocks in pieces");
      if (this.#headers.continue(flags, streamId, bytes, start, end)) this.#onBlock();
    } else if (type === FRAME.rstStream) this.#calls.onReset(streamId);
    else if (type === FRAME.windowUpdate) this.#onWindowUpdate(streamId, readInt31(bytes, start));
    else this.#onControl(type, flags, streamId, bytes, start, end);
  }

  #onBlock(): void {
    this.#calls.onBlock(this.#headers);
    this.#headers.clear();
  }

  #onWindowUpdate(streamId: number, increment: number): void {
    if (streamId > 0) {
      this.#calls.onWindowUpdate(streamId, increment);
      return;
    }
    if (increment === 0) throw new ConnectionError("protocol", "a window update of nothing");
    this.#nuisance.spend("window updates");
    this.#sender.widen(increment);
    this.#calls.replies.pump();
  }

  /** Frames that bring no call nearer to its answer. */
  #onControl(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#nuisance.spend("frames that are no calls");
    if (type === FRAME.settings) {
      this.#agreement.onSettings(flags, bytes, start, end);
      // A window may have become larger.
      this.#calls.replies.pump();
    } else if (type === FRAME.ping && flags & FLAG.ack) this.drain.onPingAck(bytes, start, end);
    else if (type === FRAME.ping) sendPingAck(this.#outbox, bytes.subarray(start, end));
    else if (type === FRAME.priority && readInt31(bytes, start) === streamId) {
      throw new ConnectionError("protocol", "a stream that depends on itself");
    } else if (type === FRAME.pushPromise) throw new ConnectionError("protocol", "a push by a client");
    // GOAWAY needs nothing: the peer takes no streams of ours, and closes when it has its answers. Unknown ones are read
    // over (RFC 9113 §4.1).
  }
}
