import type { Socket } from "node:net";
import { DEFAULT_WINDOW_BYTES, FLAG, FRAME, readInt31 } from "../../../src/h2/frame.ts";
import { FrameReader } from "../../../src/h2/frame-reader.ts";
import { PREFACE } from "../../../src/h2/preface.ts";
import { data, frame, ping, SETTINGS_ACK, settings, windowUpdate } from "../../h2/support/frames.ts";
import { CHECK_PATH } from "../children/constant.ts";

/** Where a connection gets what it asks, and says what became of it. */
export interface Calls {
  /** The next message, with its gRPC prefix; undefined once there are enough. */
  next(): Buffer | undefined;
  answered(microseconds: number): void;
}

/**
 * The head of a call: the first on a connection puts its fields into the server's table (RFC 7541 §6.2.1), all others
 * name them there, as any client does. So 6 bytes are what the server reads.
 */
const FIRST_HEAD = Buffer.concat([
  Buffer.of(0x83, 0x86), // :method POST, :scheme http
  remembered(4, CHECK_PATH), // :path
  remembered(1, "localhost"), // :authority
  remembered(31, "application/grpc"), // content-type
  Buffer.concat([Buffer.of(0x40), text("te"), text("trailers")]),
]);
const NEXT_HEAD = Buffer.of(0x83, 0x86, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62);

/** As large as windows become: no answer ever waits for the client. */
const WIDE = 0x7fff_ffff - DEFAULT_WINDOW_BYTES;

/**
 * An HTTP/2 connection that keeps so many calls of Envoy's `Check` under way. All that can be sent after a chunk goes out
 * in one write. Throws, out of the socket's events, where a call gets anything but a message and its trailers.
 */
export class CallingConnection {
  readonly #socket: Socket;
  readonly #streams: number;
  readonly #calls: Calls;
  readonly #reader = new FrameReader();
  /** When each call under way was sent, and whether its message has come. */
  readonly #underWay = new Map<number, { sentAtMs: number; hasMessage: boolean }>();
  #outgoing: Buffer[] = [];
  #window = DEFAULT_WINDOW_BYTES;
  #nextStream = 1;
  #waiting: Buffer | undefined;
  #isReady = false;

  constructor(socket: Socket, streams: number, calls: Calls) {
    this.#socket = socket;
    this.#streams = streams;
    this.#calls = calls;
    socket.setNoDelay(true).on("data", (chunk: Buffer) => {
      this.#reader.push(chunk, this);
      this.#flush();
    });
    socket.write(Buffer.concat([PREFACE, settings(), windowUpdate(0, WIDE)]));
  }

  /** Takes a frame from the reader. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#underWay.get(streamId);
    if (type === FRAME.data && call !== undefined) call.hasMessage ||= end > start;
    else if (type === FRAME.headers && call !== undefined) {
      if ((flags & FLAG.endStream) === 0) return;
      if (!call.hasMessage) throw new Error("a call was answered without a message");
      this.#underWay.delete(streamId);
      this.#calls.answered((performance.now() - call.sentAtMs) * 1_000);
    } else if (type === FRAME.windowUpdate) {
      if (streamId === 0) this.#window += readInt31(bytes, start);
    } else if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
      this.#isReady = true;
      this.#outgoing.push(SETTINGS_ACK);
    } else if (type === FRAME.ping && (flags & FLAG.ack) === 0) {
      this.#outgoing.push(ping(bytes.toString("latin1", start, end), FLAG.ack));
    } else if (type === FRAME.goaway || type === FRAME.rstStream) {
      throw new Error(`a call was cut off by a frame of type ${type}`);
    }
  }

  /** Fills up the calls under way, as far as the window goes (RFC 9113 §6.9), and sends all that there is to send. */
  #flush(): void {
    while (this.#isReady && this.#underWay.size < this.#streams) {
      this.#waiting ??= this.#calls.next();
      if (this.#waiting === undefined || this.#waiting.length > this.#window) break;
      this.#call(this.#waiting);
      this.#waiting = undefined;
    }
    if (this.#outgoing.length > 0) this.#socket.write(Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  #call(message: Buffer): void {
    const streamId = this.#nextStream;
    this.#nextStream += 2;
    this.#window -= message.length;
    const head = streamId === 1 ? FIRST_HEAD : NEXT_HEAD;
    this.#outgoing.push(frame(FRAME.headers, FLAG.endHeaders, streamId, head), data(streamId, message));
    this.#underWay.set(streamId, { sentAtMs: performance.now(), hasMessage: false });
  }
}

/** A literal field under a name of the static table, which the table takes over (RFC 7541 §6.2.1). */
function remembered(name: number, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40 | name), text(value)]);
}

/** Shorter than 127 characters, without Huffman code (RFC 7541 §5.2). */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}
