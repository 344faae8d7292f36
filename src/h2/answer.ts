import { FLAG, FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from "./frame.ts";
import { headerBlock } from "./header-block.ts";

/** The status codes of gRPC that are answered here (grpc.io/docs/guides/status-codes). */
export const GRPC_STATUS = { notFound: 5, resourceExhausted: 8, unimplemented: 12, internal: 13 } as const;

/** An answer without a message, made ahead: it lacks only the stream's number. */
export class Refusal {
  /** A HEADERS frame, which ends the stream where there is no body. */
  readonly frame: Buffer;
  /** Text for people whose client is not one of gRPC; else empty. */
  readonly body: Buffer;
  /**
   * Whether it is given before the request has ended. An unknown method may be one that streams, whose caller may wait
   * for an answer before it says more; elsewhere the end is waited for, as one waits for any request.
   */
  readonly isUrgent: boolean;

  constructor(fields: readonly (readonly [string, string])[], body: string, isUrgent: boolean) {
    this.body = Buffer.from(body, "latin1");
    this.frame = frameOf(headerBlock(fields), body === "" ? FLAG.endHeaders | FLAG.endStream : FLAG.endHeaders);
    this.isUrgent = isUrgent;
  }
}

/**
 * A call that fails, as gRPC says it: HTTP status 200 and the code in trailers that stand alone ("Trailers-Only",
 * github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). `message` is printable ASCII without `%`.
 */
export function grpcRefusal(status: number, message: string, isUrgent = false): Refusal {
  const fields = [
    [":status", "200"],
    ["content-type", "application/grpc"],
    ["grpc-status", String(status)],
    ["grpc-message", message],
  ] as const;
  return new Refusal(fields, "", isUrgent);
}

/** A request that is not gRPC at all, answered as HTTP does. */
export function httpRefusal(status: number, body: string, ...fields: (readonly [string, string])[]): Refusal {
  const all = [[":status", String(status)], ...fields, ["content-type", "text/plain"]] as const;
  return new Refusal([...all, ["content-length", String(body.length)]] as const, body, false);
}

/** The frames in front of a message and behind it, which are the same for every call but for the stream's number. */
export const ANSWER_HEAD = frameOf(
  headerBlock([
    [":status", "200"],
    ["content-type", "application/grpc"],
  ]),
  FLAG.endHeaders,
);

/** As above. */
export const ANSWER_TRAILERS = frameOf(headerBlock([["grpc-status", "0"]]), FLAG.endHeaders | FLAG.endStream);

/** Where the number of the stream stands in a frame (RFC 9113 §4.1). */
export const STREAM_ID_AT = 5;

function frameOf(block: Buffer, flags: number): Buffer {
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + block.length);
  writeFrameHeader(frame, 0, block.length, FRAME.headers, flags, 0);
  block.copy(frame, FRAME_HEADER_BYTES);
  return frame;
}
