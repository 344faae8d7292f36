import type { Socket } from "node:net";
import { ANSWER_HEAD, ANSWER_TRAILERS, STREAM_ID_AT } from "./answer.ts";
import { FRAME, FRAME_HEADER_BYTES, HEADER_TABLE_BYTES, writeFrameHeader, writeUint32 } from "./frame.ts";
import { PREFIX_BYTES } from "./grpc-message.ts";

/** Holds the largest frame and what goes with it, so that each write needs room once. */
const CHUNK_BYTES = 32 * 1024;
/** So many are kept for the next turn; beyond that, a burst's memory is given back. */
const MAX_SPARE = 16;

/** Memory for output that is used again as soon as the kernel has taken it. One for all connections of a thread. */
export class ChunkPool {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  give(chunk: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(chunk);
  }
}

/** Collects the frames for one connection, so that all of one turn leave in one write. */
export class Outbox {
  readonly #socket: Socket;
  readonly #pool: ChunkPool;
  #chunk: Buffer | undefined;
  #length = 0;
  /** Whether the peer must be told that its table is empty, or has been. */
  #owesTableSize = false;
  #hasEmptiedTable = false;

  constructor(socket: Socket, pool: ChunkPool) {
    this.#socket = socket;
    this.#pool = pool;
  }

  /**
   * The peer wants to remember so many bytes of our headers. None of ours is ever remembered, but where that is less than
   * before, the next header block has to say that it was heard (RFC 9113 §4.3.1): nghttp2 ends the connection otherwise.
   */
  limitTable(bytes: number): void {
    if (bytes < HEADER_TABLE_BYTES && !this.#hasEmptiedTable) this.#owesTableSize = true;
  }

  /** A whole answer: head, message, trailers. Head, prefix and message must be within one frame's length. */
  answer(streamId: number, message: Uint8Array): void {
    const data = FRAME_HEADER_BYTES + PREFIX_BYTES + message.length;
    const chunk = this.#room(ANSWER_HEAD.length + TABLE_SIZE_BYTES + data + ANSWER_TRAILERS.length);
    this.#copy(chunk, ANSWER_HEAD, streamId);
    writeFrameHeader(chunk, this.#length, PREFIX_BYTES + message.length, FRAME.data, 0, streamId);
    this.#length += FRAME_HEADER_BYTES;
    chunk[this.#length] = 0;
    writeUint32(chunk, this.#length + 1, message.length);
    this.#length += PREFIX_BYTES;
    chunk.set(message, this.#length);
    this.#length += message.length;
    this.#copy(chunk, ANSWER_TRAILERS, streamId);
  }

  /** A HEADERS frame that was made ahead, for a stream. */
  prepared(frame: Buffer, streamId: number): void {
    this.#copy(this.#room(frame.length + TABLE_SIZE_BYTES), frame, streamId);
  }

  /** Any frame. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const chunk = this.#room(FRAME_HEADER_BYTES + payload.length);
    writeFrameHeader(chunk, this.#length, payload.length, type, flags, streamId);
    chunk.set(payload, this.#length + FRAME_HEADER_BYTES);
    this.#length += FRAME_HEADER_BYTES + payload.length;
  }

  /** A frame whose payload is one number: RST_STREAM and WINDOW_UPDATE (RFC 9113 §6.4, §6.9). */
  number(type: number, streamId: number, value: number): void {
    const chunk = this.#room(FRAME_HEADER_BYTES + 4);
    writeFrameHeader(chunk, this.#length, 4, type, 0, streamId);
    writeUint32(chunk, this.#length + FRAME_HEADER_BYTES, value);
    this.#length += FRAME_HEADER_BYTES + 4;
  }

  /** Hands everything to the socket. */
  flush(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    const length = this.#length;
    this.#chunk = undefined;
    this.#length = 0;
    // Not before the write is over: until then the kernel may still be reading from it.
    this.#socket.write(chunk.subarray(0, length), () => this.#pool.give(chunk));
  }

  /** Where the next bytes go, with room for so many. */
  #room(bytes: number): Buffer {
    if (this.#chunk !== undefined && this.#length + bytes > CHUNK_BYTES) this.flush();
    this.#chunk ??= this.#pool.take();
    return this.#chunk;
  }

  #copy(chunk: Buffer, frame: Buffer, streamId: number): void {
    if (this.#owesTableSize) {
      this.#copyWithTableSize(chunk, frame, streamId);
      return;
    }
    chunk.set(frame, this.#length);
    writeUint32(chunk, this.#length + STREAM_ID_AT, streamId);
    this.#length += frame.length;
  }

  /** The same, its block behind a new size of the table: none (RFC 7541 §6.3). No later limit can be below that. */
  #copyWithTableSize(chunk: Buffer, frame: Buffer, streamId: number): void {
    const blockBytes = frame.length - FRAME_HEADER_BYTES + TABLE_SIZE_BYTES;
    writeFrameHeader(chunk, this.#length, blockBytes, FRAME.headers, frame[FLAGS_AT] as number, streamId);
    chunk[this.#length + FRAME_HEADER_BYTES] = EMPTY_TABLE;
    chunk.set(frame.subarray(FRAME_HEADER_BYTES), this.#length + FRAME_HEADER_BYTES + TABLE_SIZE_BYTES);
    this.#length += FRAME_HEADER_BYTES + blockBytes;
    this.#owesTableSize = false;
    this.#hasEmptiedTable = true;
  }
}

/** RFC 7541 §6.3, in one byte. */
const EMPTY_TABLE = 0x20;
const TABLE_SIZE_BYTES = 1;
/** Where a frame has its flags (RFC 9113 §4.1). */
const FLAGS_AT = 4;
