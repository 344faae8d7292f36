/** What one server lets its peers ask of it. Each has a default with its reason. */
export interface Limits {
  /** The largest message of a call. */
  readonly maxMessageBytes: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE: what the metadata of one call may come to (RFC 9113 §6.5.2). */
  readonly maxHeaderListBytes: number;
  /** SETTINGS_MAX_CONCURRENT_STREAMS: calls of one connection that have not come whole, or wait for a window. */
  readonly maxStreams: number;
  /** Connections at the same time; one more is closed at once. */
  readonly maxConnections: number;
  /** Bytes of messages that have not come whole, and of answers that wait, on all connections together. */
  readonly maxHeldBytes: number;
  /** What a peer may do that brings no call nearer to its answer, at once and in every second after. */
  readonly nuisanceBurst: number;
  readonly nuisancePerSecond: number;
  /** How long a frame, a header block, the preface or an acknowledgement may take. */
  readonly frameTimeoutMs: number;
  /** How long a request may take to come whole, and its answer to be let through by the peer's windows. */
  readonly requestTimeoutMs: number;
  /** How long a peer may read nothing while there is something to read. */
  readonly stallTimeoutMs: number;
  /** After so long a silence a PING asks whether the peer is there. */
  readonly silenceMs: number;
  /** How long it has to answer that, or to read a GOAWAY and close. */
  readonly pingTimeoutMs: number;
  readonly lingerMs: number;
  /** How old a connection becomes before it is drained, give or take a tenth: many that were opened at once end apart. */
  readonly maxAgeMs: number;
}

/** The defaults, which any part can replace. */
export const DEFAULT_LIMITS: Limits = {
  // Envoy's `max_request_headers_kb` ends at 8 MiB and a path is sent twice: nothing larger can come without a body.
  maxMessageBytes: 16 * 1024 * 1024,
  // A tracer may copy a client's headers into the metadata, and a call refused for their size is an error to the proxy.
  maxHeaderListBytes: 1024 * 1024,
  // What Envoy opens. A call that has come whole is answered at once, so that only unfinished ones count.
  maxStreams: 1_024,
  // A proxy opens a few for each of its threads.
  maxConnections: 1_024,
  // Sixteen of the largest messages.
  maxHeldBytes: 256 * 1024 * 1024,
  // A proxy whose clients give up, or which was itself stopped for a while, resets hundreds of calls at once.
  nuisanceBurst: 5_000,
  nuisancePerSecond: 500,
  // Far more than any network needs for 16 KiB.
  frameTimeoutMs: 10_000,
  // Longer than any proxy waits for a check.
  requestTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  // A peer that vanished without a word is found out within 80 seconds.
  silenceMs: 60_000,
  pingTimeoutMs: 20_000,
  // A GOAWAY arrives only if what the peer still sends is read; else the kernel resets the connection under it.
  lingerMs: 2_000,
  // A peer is glad of a connection that lasts.
  maxAgeMs: Number.POSITIVE_INFINITY,
};
