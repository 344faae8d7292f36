import { readdirSync, readFileSync } from "node:fs";
import { FRAME_HEADER_BYTES, writeFrameHeader } from "../../../src/h2/frame.ts";
import { PREFACE } from "../../../src/h2/preface.ts";

/** A frame as it is said; `lie` is how much longer than it is it claims to be. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
  readonly lie: number;
}

/** Where `record.ts` writes what it has heard: a file for each client, and in it a line of base64 for each connection. */
export const SESSIONS_FOLDER = new URL("../../fixtures/h2-sessions/", import.meta.url);

/** What each client has said behind the preface, connection by connection. */
const SESSIONS: readonly (readonly (readonly Frame[])[])[] = readdirSync(SESSIONS_FOLDER)
  .filter((file) => file.endsWith(".txt"))
  .toSorted()
  .map((file) => readFileSync(new URL(file, SESSIONS_FOLDER), "latin1").trim().split("\n"))
  .map((lines) => lines.map((line) => Buffer.from(line, "base64")).filter(hasPreface))
  .map((sessions) => sessions.map((bytes) => framesIn(bytes.subarray(PREFACE.length))));

/** A session by two numbers, of whatever size: whose it is, and which of theirs. */
export function sessionAt(client: number, number: number): readonly Frame[] {
  const theirs = SESSIONS[client % SESSIONS.length] ?? [];
  return theirs[number % theirs.length] ?? [];
}

function hasPreface(bytes: Buffer): boolean {
  return bytes.subarray(0, PREFACE.length).equals(PREFACE);
}

/** Cuts bytes into frames. The last may be shorter than it says. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; bytes.length - at >= FRAME_HEADER_BYTES; ) {
    const start = at + FRAME_HEADER_BYTES;
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(start, start + length);
    const [type = 0, flags = 0] = bytes.subarray(at + 3);
    frames.push({ type, flags, streamId: bytes.readUInt32BE(at + 5), payload, lie: length - payload.length });
    at = start + payload.length;
  }
  return frames;
}

/** A frame's bytes. */
export function written({ type, flags, streamId, payload, lie }: Frame): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  writeFrameHeader(header, 0, Math.max(0, payload.length + lie), type, flags, streamId);
  return Buffer.concat([header, payload]);
}
