import type { Metadata, Method } from "../../h2/method.ts";
import { createUnaryServer } from "../../h2/unary-server.ts";
import { createCutConnections } from "../../observe/cut-connections.ts";
import { createEngineCounts, ENGINE_COUNTS_INTERVAL_MS } from "../../observe/engine-counts.ts";
import type { CallMetadata } from "../../observe/traces/tracer.ts";
import { MAX_CONNECTIONS, MAX_HEADER_LIST_BYTES, MAX_REQUEST_BYTES } from "./check-limits.ts";
import type { AnswerCheck, CheckServer, CheckServerSettings, CheckServerSinks } from "./check-server.ts";
import { Connections } from "./connections.ts";
import { AUTHORIZATION, answerHealthCheck } from "./health-check.ts";
import { speaksHttp2 } from "./http2-preface.ts";

/** What traces ask for. */
const SHOWN_METADATA = ["traceparent", "tracestate"];

/** Serves `Check` and `Health/Check` with an HTTP/2 of our own (`src/h2`). Any other method is UNIMPLEMENTED. */
export function createH2Server(
  { maxConnectionAgeMs = Number.POSITIVE_INFINITY }: CheckServerSettings,
  answer: AnswerCheck,
  { countConnection, cells, log }: CheckServerSinks,
): CheckServer {
  let isServing = false;
  const check = {
    handler: (message: Uint8Array, metadata: Metadata) => answer(message, callMetadata(metadata)),
    metadata: SHOWN_METADATA,
  };
  const health = { handler: (message: Uint8Array) => answerHealthCheck(message, isServing) };
  const server = createUnaryServer({
    methods: new Map<string, Method>([
      [`/${AUTHORIZATION}/Check`, check],
      ["/grpc.health.v1.Health/Check", health],
    ]),
    limits: {
      maxMessageBytes: MAX_REQUEST_BYTES,
      maxHeaderListBytes: MAX_HEADER_LIST_BYTES,
      maxConnections: MAX_CONNECTIONS,
      maxAgeMs: maxConnectionAgeMs,
    },
    onCut: createCutConnections(log),
    onError: (error) => log("error", "a call has failed in the HTTP/2 engine", { error }),
  });
  const tellCounts = createEngineCounts(cells, server);
  const telling = setInterval(tellCounts, ENGINE_COUNTS_INTERVAL_MS).unref();
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  // One that speaks something else is told so by the server.
  const isEnough = (bytes: Buffer) => speaksHttp2(bytes) !== undefined;
  return {
    take: (socket) => connections.take(socket, { isEnough, use: () => server.take(socket) }),
    setServing(serving) {
      isServing = serving;
    },
    async stop(graceMs) {
      void server.drain();
      const finished = await connections.finish(graceMs);
      clearInterval(telling);
      tellCounts();
      return finished;
    },
  };
}

function callMetadata(metadata: Metadata): CallMetadata {
  return { get: (name) => [metadata.get(name) ?? []].flat() };
}
