import type { ErrorName } from "./connection-error.ts";
import type { Counters } from "./counters.ts";
import type { Limits } from "./limits.ts";
import type { Memory } from "./memory.ts";
import type { Method } from "./method.ts";
import type { ChunkPool } from "./outbox.ts";

/** A connection that is ended before its peer wanted it. */
export interface Cut {
  /** `stalled` is one that was closed without a GOAWAY, since nobody would have read it. */
  readonly reason: ErrorName | "stalled";
  /** In words, without anything that the peer said. */
  readonly why: string;
  /** The peer's address, or undefined on a Unix socket. */
  readonly remoteAddress: string | undefined;
}

/** What all connections of a server share. */
export interface Service {
  /** By path, such as `/grpc.health.v1.Health/Check`. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly memory: Memory;
  readonly pool: ChunkPool;
  /** A coarse clock, moved on by the server's tick: nothing asks the system for the time. It begins at 0. */
  readonly clock: { ms: number };
  readonly onCut: (cut: Cut) => void;
  /** A defect: a handler that threw, or an error of the engine's own. */
  readonly onError: (error: unknown) => void;
}
