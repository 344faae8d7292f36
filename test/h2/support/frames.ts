import { FLAG, FRAME, writeFrameHeader, writeUint32 } from "../../../src/h2/frame.ts";
import { headerBlock } from "../../../src/h2/header-block.ts";

/** A field of a header block. */
export type Pair = readonly [name: string, value: string];

/** The head of a call as a client of gRPC sends it. */
export const CALL: readonly Pair[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/test.Echo/Echo"],
  [":authority", "localhost"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

/** Any frame, right or wrong. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  writeFrameHeader(header, 0, payload.length, type, flags, streamId);
  return Buffer.concat([header, payload]);
}

export const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  writeUint32(bytes, 0, value);
  return bytes;
};

/** A HEADERS frame with a whole block; `flags` beside END_HEADERS. */
export function headers(streamId: number, fields: readonly Pair[] = CALL, flags = 0): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders | flags, streamId, headerBlock(fields));
}

/** A DATA frame. */
export function data(streamId: number, payload: Uint8Array, flags: number = FLAG.endStream): Buffer {
  return frame(FRAME.data, flags, streamId, payload);
}

/** A message with its prefix. */
export function message(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(0), number(bytes.length), bytes]);
}

/** A whole call. */
export function call(streamId: number, text: string | Uint8Array = "hello"): Buffer {
  return Buffer.concat([headers(streamId), data(streamId, message(text))]);
}

/** A SETTINGS frame of pairs of identifier and value. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = pairs.map(([id, value]) => Buffer.concat([Buffer.of(0, id), number(value)]));
  return frame(FRAME.settings, 0, 0, Buffer.concat(payload));
}

export const SETTINGS_ACK = frame(FRAME.settings, FLAG.ack, 0);

export const windowUpdate = (streamId: number, increment: number): Buffer =>
  frame(FRAME.windowUpdate, 0, streamId, number(increment));

export const ping = (text: string, flags = 0): Buffer => frame(FRAME.ping, flags, 0, Buffer.from(text, "latin1"));

export const INITIAL_WINDOW_SIZE = 4;

export const rst = (streamId: number, code = 8): Buffer => frame(FRAME.rstStream, 0, streamId, number(code));
