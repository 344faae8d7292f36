import type { Socket } from "node:net";
import type { Settings } from "../../config/settings.ts";
import type { CountConnection } from "../../observe/connection-counters.ts";
import type { Log } from "../../observe/log.ts";
import type { MetricCells } from "../../observe/metrics/cells.ts";
import type { CallMetadata } from "../../observe/traces/tracer.ts";

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

/** Serves `Check` and `grpc.health.v1` over the HTTP/2 that the configuration names. The other one is not even loaded. */
export async function createCheckServer(
  settings: CheckServerSettings,
  answer: AnswerCheck,
  sinks: CheckServerSinks,
): Promise<CheckServer> {
  if (settings.transport === "grpc-js") {
    const { createGrpcJsServer } = await import("./grpc-js-server.ts");
    return createGrpcJsServer(answer, sinks.countConnection);
  }
  const { createH2Server } = await import("./h2-server.ts");
  return createH2Server(settings, answer, sinks);
}
