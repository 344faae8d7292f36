import { ERROR, type ErrorName } from "./connection-error.ts";

/** What has happened on all connections of a server, counted since it began. Read it at any time; nothing resets it. */
export interface Counters {
  connectionsOpened: number;
  connectionsClosed: number;
  /** Closed at once, since there were too many. */
  connectionsRefused: number;
  /** Calls that a handler has answered. */
  calls: number;
  /** Calls whose handler threw. */
  handlerErrors: number;
  /** Requests answered without a handler: an unknown method, not gRPC, a message too large. */
  refusals: number;
  /** Streams refused since too many were open. */
  refusedStreams: number;
  /** Streams that a peer reset, before it was answered or after. */
  resetsReceived: number;
  /** Streams that were reset from here. */
  resetsSent: number;
  /** What brought no call nearer to its answer, as the budget counts it. */
  nuisance: number;
  /** Connections that were ended by a GOAWAY, by its reason; `none` is a drain. */
  readonly goaways: Record<ErrorName, number>;
  /** Connections that were cut without one: a peer that does not read, or does not answer. */
  stalled: number;
}

/** All of them at zero. */
export function createCounters(): Counters {
  const goaways = Object.fromEntries(Object.keys(ERROR).map((name) => [name, 0])) as Record<ErrorName, number>;
  return {
    connectionsOpened: 0,
    connectionsClosed: 0,
    connectionsRefused: 0,
    calls: 0,
    handlerErrors: 0,
    refusals: 0,
    refusedStreams: 0,
    resetsReceived: 0,
    resetsSent: 0,
    nuisance: 0,
    goaways,
    stalled: 0,
  };
}
