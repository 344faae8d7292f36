import { ConnectionError } from "./connection-error.ts";
import { FRAME } from "./frame.ts";

/** What must hold of a frame of one type, whatever it says. */
interface Shape {
  /** Whether it belongs to a stream; undefined where it may or may not. */
  readonly onStream?: boolean;
  /** Whether a payload may be so long. */
  readonly fits?: (bytes: number) => boolean;
}

/** RFC 9113 §6.1 to §6.10. */
const SHAPES = new Map<number, Shape>([
  [FRAME.data, { onStream: true }],
  [FRAME.headers, { onStream: true }],
  [FRAME.priority, { onStream: true, fits: (bytes) => bytes === 5 }],
  [FRAME.rstStream, { onStream: true, fits: (bytes) => bytes === 4 }],
  [FRAME.settings, { onStream: false, fits: (bytes) => bytes % 6 === 0 }],
  [FRAME.ping, { onStream: false, fits: (bytes) => bytes === 8 }],
  [FRAME.goaway, { onStream: false, fits: (bytes) => bytes >= 8 }],
  [FRAME.windowUpdate, { fits: (bytes) => bytes === 4 }],
  [FRAME.continuation, { onStream: true }],
]);

/** Throws ConnectionError for a frame that has no stream and needs one, or the reverse, or the wrong length. */
export function checkFrameShape(type: number, streamId: number, bytes: number): void {
  const shape = SHAPES.get(type);
  if (shape === undefined) return;
  if (shape.onStream !== undefined && shape.onStream !== streamId > 0) {
    throw new ConnectionError("protocol", `a frame of type ${type} on ${streamId > 0 ? "a stream" : "no stream"}`);
  }
  // RFC 9113 §4.2 leaves some of these to the stream alone (PRIORITY); who counts wrong once will do so again.
  if (shape.fits?.(bytes) === false) {
    throw new ConnectionError("frameSize", `a frame of type ${type} with ${bytes} bytes`);
  }
}
