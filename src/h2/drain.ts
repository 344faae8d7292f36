import { ERROR, type ErrorName } from "./connection-error.ts";
import type { Counters } from "./counters.ts";
import { FLAG, FRAME, MAX_INT31, writeUint32 } from "./frame.ts";
import type { Outbox } from "./outbox.ts";
import type { Streams } from "./streams.ts";

/** The payload of the PING that asks whether the peer has read the first GOAWAY. */
const MARK = Buffer.from("draining", "latin1");

/**
 * Ends a connection so that no call is lost (RFC 9113 §6.8): a GOAWAY that refuses nothing asks the peer to begin no new
 * calls here, and a PING behind it. Once that is answered the peer has read both, so that every call which it began is
 * there: a second GOAWAY names the last.
 */
export class Drain {
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #counters: Counters;
  #isBegun = false;

  constructor(outbox: Outbox, streams: Streams, counters: Counters) {
    this.#outbox = outbox;
    this.#streams = streams;
    this.#counters = counters;
  }

  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Whether every call that was begun has its answer, and no other will be taken. */
  get isOver(): boolean {
    return this.#streams.isClosed && this.#streams.open.size === 0;
  }

  begin(): void {
    this.#isBegun = true;
    this.#counters.goaways.none++;
    sendGoaway(this.#outbox, MAX_INT31, "none", "draining");
    this.#outbox.frame(FRAME.ping, 0, 0, MARK);
  }

  /** The peer has answered a PING. */
  onPingAck(bytes: Buffer, start: number, end: number): void {
    if (this.#isBegun && MARK.compare(bytes, start, end) === 0) this.close();
  }

  /** Takes no new call from here on. */
  close(): void {
    if (this.#streams.isClosed) return;
    this.#streams.isClosed = true;
    sendGoaway(this.#outbox, this.#streams.lastId, "none", "draining");
  }
}

/** Tells the peer the number of the last stream that was taken, and why there will be no more (RFC 9113 §6.8). */
export function sendGoaway(outbox: Outbox, lastStreamId: number, reason: ErrorName, why: string): void {
  const text = Buffer.from(why, "latin1");
  const payload = Buffer.alloc(8 + text.length);
  writeUint32(payload, 0, lastStreamId);
  writeUint32(payload, 4, ERROR[reason]);
  text.copy(payload, 8);
  outbox.frame(FRAME.goaway, 0, 0, payload);
}

/** Answers a PING (RFC 9113 §6.7). */
export function sendPingAck(outbox: Outbox, payload: Uint8Array): void {
  outbox.frame(FRAME.ping, FLAG.ack, 0, payload);
}
