import { createUnaryServer } from "../../h2/unary-server.ts";
import { MAX_CONNECTIONS, MAX_HEADER_LIST_BYTES, MAX_REQUEST_BYTES } from "./check-limits.ts";
import type { AnswerCheck, CheckServer, CheckServerSinks } from "./check-server.ts";
import { Connections } from "./connections.ts";
import { AUTHORIZATION, answerHealthCheck } from "./health-check.ts";
import { speaksHttp2 } from "./http2-preface.ts";

/** What traces ask for. */
const SHOWN_METADATA = ["traceparent", "tracestate"];

/** Serves `Check` and `Health/Check` with an HTTP/2 of our own (`src/h2`). Any other method is UNIMPLEMENTED. */
export function createH2Server(answer: AnswerCheck, { countConnection, log }: CheckServerSinks): CheckServer {
  let isServing = false;
  const server = createUnaryServer({
    methods: new Map([
      [
        `/${AUTHORIZATION}/Check`,
        {
          handler: (message, metadata) => answer(message, { get: (name) => valuesOf(metadata.get(name)) }),
          metadata: SHOWN_METADATA,
        },
      ],
      ["/grpc.health.v1.Health/Check", { handler: (message) => answerHealthCheck(message, isServing) }],
    ]),
    limits: {
      maxMessageBytes: MAX_REQUEST_BYTES,
      maxHeaderListBytes: MAX_HEADER_LIST_BYTES,
      maxConnections: MAX_CONNECTIONS,
    },
    onError: (error) => log("error", "the HTTP/2 engine has failed on one call", { error }),
  });
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  // One that speaks something else is told so by the server.
  const isEnough = (bytes: Buffer) => speaksHttp2(bytes) !== undefined;
  return {
    take: (socket) => connections.take(socket, { isEnough, use: () => server.take(socket) }),
    setServing(serving) {
      isServing = serving;
    },
    stop(graceMs) {
      void server.drain();
      return connections.finish(graceMs);
    },
  };
}

function valuesOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
