import { GRPC_STATUS, grpcRefusal, Refusal } from "./answer.ts";
import { ConnectionError } from "./connection-error.ts";
import { FLAG, MAX_INT31 } from "./frame.ts";
import { MessageBuffer, readMessage } from "./grpc-message.ts";
import type { HeaderBlock } from "./header-assembler.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { INITIAL_WINDOW_BYTES } from "./intake.ts";
import { routeRequest, shownMetadata } from "./method.ts";
import { type CallParts, Replies } from "./replies.ts";
import { RequestHead } from "./request-head.ts";
import { Stream } from "./stream.ts";

const NO_MEMORY = grpcRefusal(GRPC_STATUS.resourceExhausted, "too many long messages at the same time");

/** A part of a body that is smaller brings its call so little nearer to its answer that it counts as a nuisance. */
const SMALL_PART_BYTES = 256;

/** The calls of one connection: what comes on its streams, until a request is whole (RFC 9113 §5, §8.1). */
export class Calls {
  readonly replies: Replies;
  readonly #parts: CallParts;
  readonly #decoder = new HpackDecoder();
  readonly #head: RequestHead;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.replies = new Replies(parts);
    this.#head = new RequestHead(parts.service.limits.maxHeaderListBytes);
  }

  /** A request begins, or ends with trailers. Whatever becomes of it, its block is decoded: the table depends on it. */
  onBlock(block: HeaderBlock): void {
    const { nuisance, streams } = this.#parts;
    const { streamId, isEndOfStream } = block;
    this.#head.reset();
    this.#decoder.decode(block.bytes, block.start, block.end, this.#head);
    if (this.#head.isTooLarge) nuisance.spend("long headers", this.#head.listBytes >>> 10);
    const known = streams.open.get(streamId);
    if (known !== undefined) {
      this.#onTrailers(known, isEndOfStream);
      return;
    }
    if (streamId <= streams.lastId || streams.isClosed) {
      this.#onLate(streamId);
      return;
    }
    if ((streamId & 1) === 0) throw new ConnectionError("protocol", "a request on a stream with an even number");
    streams.lastId = streamId;
    this.#onRequest(block);
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
      this.#onLate(streamId);
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
    stream.bodyBytes += until - from;
    if (flags & FLAG.endStream) this.#onEnd(stream, bytes, from, until);
    else this.#onPart(stream, bytes, from, until);
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

  /** A frame of no use: on a stream that was reset from here, or one that came too late to be taken. */
  #onLate(streamId: number): void {
    this.#parts.streams.checkMayGoOn(streamId);
    this.#parts.nuisance.spend("frames on streams that are over");
  }

  #onRequest({ streamId, isEndOfStream, dependsOnItself }: HeaderBlock): void {
    const { service, streams, intake, sender } = this.#parts;
    const head = this.#head;
    if (streams.open.size >= service.limits.maxStreams) {
      service.counters.refusedStreams++;
      // The peer may try again at once, on another connection as well (RFC 9113 §8.7).
      this.replies.reset(streamId, "refusedStream");
      return;
    }
    const isMalformed = !head.isRequest && !head.isTooLarge;
    if (isMalformed || dependsOnItself) {
      this.replies.reset(streamId, "protocol");
      return;
    }
    const target = routeRequest(head, service.methods);
    const metadata = shownMetadata(head, target);
    const [receives, sends] = [intake.initialWindow, sender.initialWindow];
    const stream = new Stream(streamId, target, metadata, head.contentLength, receives, sends, service.clock.ms);
    if (isEndOfStream) this.#onEnd(stream, NOTHING, 0, 0);
    else if (target instanceof Refusal && target.isUrgent) this.replies.refuseEarly(stream, target);
    else streams.open.set(streamId, stream);
  }

  /** Trailers end a request and say nothing that is needed (RFC 9113 §8.1). */
  #onTrailers(stream: Stream, isEndOfStream: boolean): void {
    if (stream.answer !== undefined) this.replies.reset(stream.id, "streamClosed");
    else if (!isEndOfStream || !this.#head.isTrailers) this.replies.reset(stream.id, "protocol");
    else this.#onEnd(stream, NOTHING, 0, 0);
  }

  #onPart(stream: Stream, bytes: Buffer, start: number, end: number): void {
    const { service, nuisance, intake } = this.#parts;
    const { target, contentLength } = stream;
    if (contentLength !== -1 && stream.bodyBytes > contentLength) {
      this.replies.reset(stream.id, "protocol");
      return;
    }
    if (target instanceof Refusal) {
      // Its end would be waited for, but nothing is granted to a body that nobody reads.
      if (stream.receiveWindow < INITIAL_WINDOW_BYTES / 2) this.replies.refuseEarly(stream, target);
    } else {
      stream.message ??= new MessageBuffer(service.limits.maxMessageBytes);
      const refusal = stream.message.append(bytes, start, end);
      if (refusal !== undefined) this.replies.refuseEarly(stream, refusal);
      else if (!intake.advance(stream)) this.replies.refuseEarly(stream, NO_MEMORY);
    }
    if (end - start < SMALL_PART_BYTES) nuisance.spend("data in tiny pieces");
  }

  /** The request is whole. */
  #onEnd(stream: Stream, bytes: Buffer, start: number, end: number): void {
    const { target, contentLength } = stream;
    if (contentLength !== -1 && contentLength !== stream.bodyBytes) {
      this.replies.reset(stream.id, "protocol");
      return;
    }
    if (target instanceof Refusal) {
      this.replies.refuse(stream, target);
      return;
    }
    const message = this.#readMessage(stream, bytes, start, end);
    if (message instanceof Refusal) this.replies.refuse(stream, message);
    else this.replies.call(stream, target, message);
  }

  #readMessage(stream: Stream, bytes: Buffer, start: number, end: number): Uint8Array | Refusal {
    const { message } = stream;
    if (message === undefined) return readMessage(bytes, start, end, this.#parts.service.limits.maxMessageBytes);
    return message.append(bytes, start, end) ?? message.finish();
  }
}

const NOTHING = Buffer.alloc(0);
