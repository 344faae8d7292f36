import { ConnectionError } from "./connection-error.ts";
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, readInt31 } from "./frame.ts";

/** Takes frames as they come. The payload lies between `start` and `end`, and belongs to the taker during the call only. */
export interface FrameSink {
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
}

/**
 * Cuts what arrives into frames (RFC 9113 §4.1), wherever the chunks begin and end. Whole frames are looked at where they
 * lie. Of one that is cut off a copy is kept: a part of the chunk would hold on to all 64 KiB of it.
 */
export class FrameReader {
  /** Counts the frames that came in pieces, so that a slow one can be told from the next. */
  cutOff = 0;
  #rest: Buffer | undefined;
  #filled = 0;

  /** Whether a frame has begun and not ended. */
  get isMidFrame(): boolean {
    return this.#rest !== undefined;
  }

  /** Hands over each frame that this chunk completes. Throws ConnectionError for one too long, and what the sink throws. */
  push(chunk: Buffer, sink: FrameSink): void {
    let at = this.#rest === undefined ? 0 : this.#complete(this.#rest, chunk, sink);
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + wholeLength(chunk, at);
      if (end > chunk.length) break;
      emit(chunk, at, end, sink);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  #keep(chunk: Buffer, at: number): void {
    const size = chunk.length - at < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : wholeLength(chunk, at);
    this.#rest = Buffer.allocUnsafeSlow(size);
    this.#filled = chunk.copy(this.#rest, 0, at);
    this.cutOff++;
  }

  /** Goes on with the frame that was cut off, and returns how much of the chunk it took. */
  #complete(rest: Buffer, chunk: Buffer, sink: FrameSink): number {
    let taken = 0;
    if (this.#filled < FRAME_HEADER_BYTES) {
      taken = this.#fill(rest, chunk, 0, FRAME_HEADER_BYTES);
      if (this.#filled < FRAME_HEADER_BYTES) return taken;
    }
    const whole = wholeLength(rest, 0);
    let frame = rest;
    if (frame.length < whole) {
      frame = Buffer.allocUnsafeSlow(whole);
      rest.copy(frame, 0, 0, FRAME_HEADER_BYTES);
      this.#rest = frame;
    }
    taken += this.#fill(frame, chunk, taken, whole);
    if (this.#filled === whole) {
      this.#rest = undefined;
      emit(frame, 0, whole, sink);
    }
    return taken;
  }

  #fill(target: Buffer, chunk: Buffer, from: number, until: number): number {
    const copied = chunk.copy(target, this.#filled, from, Math.min(chunk.length, from + until - this.#filled));
    this.#filled += copied;
    return copied;
  }
}

function wholeLength(bytes: Buffer, at: number): number {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  // A stream error would do for some types (RFC 9113 §4.2); nobody who keeps to the settings gets here.
  if (length > MAX_FRAME_BYTES) {
    throw new ConnectionError("frameSize", `a frame of ${length} bytes; the most is ${MAX_FRAME_BYTES}`);
  }
  return FRAME_HEADER_BYTES + length;
}

function emit(bytes: Buffer, at: number, end: number, sink: FrameSink): void {
  const type = bytes[at + 3] as number;
  const flags = bytes[at + 4] as number;
  sink.onFrame(type, flags, readInt31(bytes, at + 5), bytes, at + FRAME_HEADER_BYTES, end);
}
