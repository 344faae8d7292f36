import type { Refusal } from "./answer.ts";
import type { MessageBuffer } from "./grpc-message.ts";
import type { Metadata, Method } from "./method.ts";

/** One call, from its head to its answer (RFC 9113 §5.1). */
export class Stream {
  readonly id: number;
  /** What answers it. */
  readonly target: Method | Refusal;
  readonly metadata: Metadata;
  /** The length of the body that the head told, or -1. */
  readonly contentLength: number;
  /** What the peer may still send, and what may be sent to it (RFC 9113 §6.9). Either may be negative. */
  receiveWindow: number;
  sendWindow: number;
  /** When it began to wait for what it waits for. */
  sinceMs: number;
  /** The body so far, without padding. */
  bodyBytes = 0;
  message: MessageBuffer | undefined;
  /** Memory that is counted for it, and whether that counts as one of the long messages of its connection. */
  heldBytes = 0;
  isReserved = false;
  /** An answer that waits for a window, and how much of it was sent. The request has ended then. */
  answer: Buffer | undefined;
  sentBytes = 0;
  hasTrailers = true;

  constructor(
    id: number,
    target: Method | Refusal,
    metadata: Metadata,
    contentLength: number,
    receiveWindow: number,
    sendWindow: number,
    nowMs: number,
  ) {
    this.id = id;
    this.target = target;
    this.metadata = metadata;
    this.contentLength = contentLength;
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
    this.sinceMs = nowMs;
  }
}
