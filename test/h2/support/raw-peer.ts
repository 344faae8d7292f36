import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { FLAG, FRAME, readUint32 } from "../../../src/h2/frame.ts";
import { FrameReader } from "../../../src/h2/frame-reader.ts";
import { HpackDecoder } from "../../../src/h2/hpack/decoder.ts";
import { PREFACE } from "../../../src/h2/preface.ts";
import { ping, SETTINGS_ACK, settings } from "./frames.ts";

/** A frame that the engine sent. */
export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** What one call was answered. */
export interface Answer {
  /** All fields of its header blocks. */
  readonly fields: Record<string, string>;
  readonly body: Buffer;
  /** The code of a reset, where there was one. */
  readonly reset?: number;
}

/** The other side of a connection, which says exactly what it is told, right or wrong. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: Received[] = [];
  /** Everything that came, in bytes. */
  readonly bytes: Buffer[] = [];
  isClosed = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket, readsFrames = true) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      this.bytes.push(chunk);
      if (readsFrames && !chunk.toString("latin1").startsWith("HTTP/1.1")) reader.push(chunk, this);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      this.isClosed = true;
      this.#wake();
    });
    onTestFinished(() => {
      socket.destroy();
    });
  }

  /** Takes a frame from the reader. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Says the preface, acknowledges the settings, and waits until both sides have. */
  async greet(...frames: readonly Uint8Array[]): Promise<void> {
    this.send(PREFACE, frames.length > 0 ? Buffer.concat(frames) : settings());
    await this.until((frame) => frame.type === FRAME.settings && (frame.flags & FLAG.ack) === 0);
    this.send(SETTINGS_ACK);
    await this.sync();
  }

  /** Resolves once the engine has read everything that was sent: it answers in order. */
  async sync(): Promise<void> {
    const mark = String(this.frames.length).padStart(8, "0");
    this.send(ping(mark));
    await this.until((frame) => frame.type === FRAME.ping && frame.payload.toString() === mark);
  }

  /** The first frame that fits, which may have come already. Rejects once none can come any more. */
  async until(fits: (frame: Received) => boolean): Promise<Received> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error(`closed before the frame came; there were ${JSON.stringify(this.frames)}`);
      await this.#changed.promise;
    }
  }

  /** The error code and the words of the GOAWAY that ends the connection. */
  async goaway(): Promise<{ lastStreamId: number; code: number; why: string }> {
    const { payload } = await this.until((frame) => frame.type === FRAME.goaway);
    return { lastStreamId: readUint32(payload, 0), code: readUint32(payload, 4), why: payload.toString("latin1", 8) };
  }

  /** The code with which a stream is reset. */
  async reset(streamId: number): Promise<number> {
    const { payload } = await this.until((frame) => frame.type === FRAME.rstStream && frame.streamId === streamId);
    return readUint32(payload, 0);
  }

  /** Resolves once the connection is closed. */
  async closed(): Promise<void> {
    while (!this.isClosed) await this.#changed.promise;
  }

  /** What a call was answered, once its last frame is there. */
  async answer(streamId: number): Promise<Answer> {
    await this.until(
      ({ streamId: id, type, flags }) =>
        id === streamId && (type === FRAME.rstStream || (type <= FRAME.headers && (flags & FLAG.endStream) !== 0)),
    );
    const frames = this.frames.filter((frame) => frame.streamId === streamId);
    const reset = frames.find(({ type }) => type === FRAME.rstStream);
    return {
      fields: fieldsOf(frames.filter(({ type }) => type === FRAME.headers)),
      body: Buffer.concat(frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload)),
      ...(reset && { reset: readUint32(reset.payload, 0) }),
    };
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

/** Every block stands alone: the engine's encoder remembers nothing. */
function fieldsOf(blocks: readonly Received[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const { payload } of blocks) {
    new HpackDecoder().decode(payload, 0, payload.length, {
      add: ({ name, value }) => {
        fields[name] = value;
      },
    });
  }
  return fields;
}
