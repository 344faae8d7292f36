import { Refusal } from "./answer.ts";
import type { Bodies } from "./bodies.ts";
import { ConnectionError } from "./connection-error.ts";
import type { HeaderBlock } from "./header-assembler.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { routeRequest, shownMetadata } from "./method.ts";
import type { CallParts, Replies } from "./replies.ts";
import { RequestHead } from "./request-head.ts";
import { Stream } from "./stream.ts";

/** The header blocks of one connection: each begins a request, ends one as its trailers, or is of no use (RFC 9113 §8.1). */
export class Requests {
  readonly #parts: CallParts;
  readonly #replies: Replies;
  readonly #bodies: Bodies;
  readonly #decoder = new HpackDecoder();
  readonly #head: RequestHead;

  constructor(parts: CallParts, replies: Replies, bodies: Bodies) {
    this.#parts = parts;
    this.#replies = replies;
    this.#bodies = bodies;
    this.#head = new RequestHead(parts.service.limits.maxHeaderListBytes);
  }

  /** Takes the next block. Whatever becomes of it, it is decoded: the table depends on it. */
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
      this.onLate(streamId);
      return;
    }
    if ((streamId & 1) === 0) throw new ConnectionError("protocol", "a request on a stream with an even number");
    streams.lastId = streamId;
    this.#onRequest(block);
  }

  /** A frame of no use: on a stream that was reset from here, or one that came too late to be taken. */
  onLate(streamId: number): void {
    this.#parts.streams.checkMayGoOn(streamId);
    this.#parts.nuisance.spend("frames on streams that are over");
  }

  #onRequest({ streamId, isEndOfStream, dependsOnItself }: HeaderBlock): void {
    const { service, streams, intake, sender } = this.#parts;
    const head = this.#head;
    if (streams.open.size >= service.limits.maxStreams) {
      service.counters.refusedStreams++;
      // The peer may try again at once, on another connection as well (RFC 9113 §8.7).
      this.#replies.reset(streamId, "refusedStream");
      return;
    }
    const isMalformed = !head.isRequest && !head.isTooLarge;
    if (isMalformed || dependsOnItself) {
      this.#replies.reset(streamId, "protocol");
      return;
    }
    const target = routeRequest(head, service.methods);
    const metadata = shownMetadata(head, target);
    const [receives, sends] = [intake.initialWindow, sender.initialWindow];
    const stream = new Stream(streamId, target, metadata, head.contentLength, receives, sends, service.clock.ms);
    if (isEndOfStream) this.#bodies.end(stream, NOTHING, 0, 0);
    else if (target instanceof Refusal && target.isUrgent) this.#replies.refuseEarly(stream, target);
    else streams.open.set(streamId, stream);
  }

  /** Trailers end a request and say nothing that is needed. */
  #onTrailers(stream: Stream, isEndOfStream: boolean): void {
    if (stream.answer !== undefined) this.#replies.reset(stream.id, "streamClosed");
    else if (!isEndOfStream || !this.#head.isTrailers) this.#replies.reset(stream.id, "protocol");
    else this.#bodies.end(stream, NOTHING, 0, 0);
  }
}

const NOTHING = Buffer.alloc(0);
