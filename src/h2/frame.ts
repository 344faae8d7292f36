/** The types of frames (RFC 9113 §6). A type that is not here is read over (§4.1). */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** The flags of frames (RFC 9113 §6); which of them a bit is depends on the frame's type. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Bytes in front of each frame's payload: length, type, flags, stream (RFC 9113 §4.1). */
export const FRAME_HEADER_BYTES = 9;

/**
 * The largest payload, both ways: what every peer takes and may send until a SETTINGS frame raises it (RFC 9113 §4.2),
 * and none of ours does. It bounds what a frame that was cut off can hold on to.
 */
export const MAX_FRAME_BYTES = 16_384;

/** What a window is before a SETTINGS frame says otherwise, on streams and on the connection (RFC 9113 §6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;

/** SETTINGS_HEADER_TABLE_SIZE where nothing else is said, both ways (RFC 9113 §6.5.2). */
export const HEADER_TABLE_BYTES = 4_096;

/** The largest window, and the largest number of a stream (RFC 9113 §6.9.1, §5.1.1). */
export const MAX_INT31 = 0x7fff_ffff;

/** Reads 31 bits; the reserved bit before them counts for nothing (RFC 9113 §4.1, §6.9). */
export function readInt31(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) & MAX_INT31;
}

/** Reads 32 bits in network order. */
export function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return ((high << 16) | low) >>> 0;
}

/** Writes 32 bits in network order. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes the nine bytes in front of a payload (RFC 9113 §4.1). */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  writeUint32(bytes, at + 5, streamId);
}
