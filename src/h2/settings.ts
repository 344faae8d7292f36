import { ConnectionError } from "./connection-error.ts";
import { MAX_FRAME_BYTES, MAX_INT31, readUint32, writeUint32 } from "./frame.ts";
import { INITIAL_WINDOW_BYTES } from "./intake.ts";
import type { Limits } from "./limits.ts";

/** The settings that mean something here (RFC 9113 §6.5.2). Any other is read over. */
const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

const SETTING_BYTES = 6;
const MAX_MAX_FRAME_SIZE = 0xff_ffff;

/** The payload of our SETTINGS frame. */
export function ourSettings(limits: Limits): Buffer {
  const settings = [
    [SETTING.maxConcurrentStreams, limits.maxStreams],
    [SETTING.initialWindowSize, INITIAL_WINDOW_BYTES],
    [SETTING.maxHeaderListSize, limits.maxHeaderListBytes],
  ] as const;
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  for (const [index, [id, value]] of settings.entries()) {
    payload[index * SETTING_BYTES + 1] = id;
    writeUint32(payload, index * SETTING_BYTES + 2, value);
  }
  return payload;
}

/** Takes what a peer sets, in its order. */
export interface SettingsSink {
  onTableSize(bytes: number): void;
  onInitialWindow(bytes: number): void;
}

/**
 * Reads the payload of the peer's SETTINGS frame. How large its frames may be needs no attention: ours are never larger
 * than all take. Throws ConnectionError for values out of bounds.
 */
export function readSettings(bytes: Buffer, start: number, end: number, sink: SettingsSink): void {
  for (let at = start; at < end; at += SETTING_BYTES) {
    const id = bytes.readUInt16BE(at);
    const value = readUint32(bytes, at + 2);
    if (id === SETTING.initialWindowSize) {
      if (value > MAX_INT31) throw new ConnectionError("flowControl", "an initial window beyond 2^31 - 1");
      sink.onInitialWindow(value);
    } else if (id === SETTING.headerTableSize) {
      sink.onTableSize(value);
    } else if (id === SETTING.enablePush && value > 1) {
      throw new ConnectionError("protocol", "an ENABLE_PUSH that is neither 0 nor 1");
    } else if (id === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > MAX_MAX_FRAME_SIZE)) {
      throw new ConnectionError("protocol", "a MAX_FRAME_SIZE out of bounds");
    }
  }
}
