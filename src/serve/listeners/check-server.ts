import type { Socket } from "node:net";
import type { Settings } from "../../config/settings.ts";
import type { CountConnection } from "../../observe/connection-counters.ts";
import type { Log } from "../../observe/log.ts";
import type { MetricCells } from "../../observe/metrics/cells.ts";
import type { CallMetadata } from "../../observe/traces/tracer.ts";
import { createGrpcJsServer } from "./grpc-js-server.ts";
import { createH2Server } from "./h2-server.ts";

/** The gRPC data plane on connections that somebody else accepts. */
export interface CheckServer {
  take(socket: Socket): void;
  /** What `grpc.health.v1` answers. */
  setServing(serving: boolean): void;
  /** Finishes the calls in progress and closes every connection, and returns whether all had ended after `graceMs`. */
  stop(graceMs: number): Promise<boolean>;
}

/** Answers a serialized CheckRequest. It must not throw. */
export type AnswerCheck = (request: Uint8Array, metadata: CallMetadata) => Uint8Array;

/** What a server tells of itself. */
export interface CheckServerSinks {
  readonly countConnection: CountConnection;
  readonly cells: MetricCells;
  readonly log: Log;
}

/** How it serves. */
export type CheckServerSettings = Pick<Settings, "transport" | "maxConnectionAgeMs">;

/** Serves `Check` and `grpc.health.v1` over the HTTP/2 that the configuration names. */
export function createCheckServer(
  settings: CheckServerSettings,
  answer: AnswerCheck,
  sinks: CheckServerSinks,
): CheckServer {
  return settings.transport === "h2"
    ? createH2Server(settings, answer, sinks)
    : createGrpcJsServer(answer, sinks.countConnection);
}
