/** The error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const ERROR = {
  none: 0x0,
  protocol: 0x1,
  internal: 0x2,
  flowControl: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSize: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compression: 0x9,
  connect: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** One of the codes above by its name, such as `enhanceYourCalm`. */
export type ErrorName = keyof typeof ERROR;

/**
 * Thrown where the peer broke the connection's rules (RFC 9113 §5.4.1): nothing that follows on it can be trusted. It is
 * caught in one place, which sends a GOAWAY. The message says in words why, and never quotes the peer.
 */
export class ConnectionError extends Error {
  readonly reason: ErrorName;

  constructor(reason: ErrorName, why: string) {
    super(why);
    this.reason = reason;
  }
}
