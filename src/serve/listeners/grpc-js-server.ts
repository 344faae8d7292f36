import { Server, ServerCredentials, type ServerOptions, type ServerWritableStream } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { CountConnection } from "../../observe/connection-counters.ts";
import type { CallMetadata } from "../../observe/traces/tracer.ts";
import { MAX_CONNECTIONS, MAX_HEADER_LIST_BYTES, MAX_REQUEST_BYTES } from "./check-limits.ts";
import type { AnswerCheck, CheckServer } from "./check-server.ts";
import { Connections } from "./connections.ts";
import { AUTHORIZATION } from "./health-check.ts";
import { speaksHttp2 } from "./http2-preface.ts";

/**
 * Far above the 1,024 that Envoy opens: where it is near, Node ends the whole connection after 100 streams too many
 * (`maxSessionRejectedStreams`), and every check on it fails.
 */
const MAX_CONCURRENT_STREAMS = 100_000;

/**
 * Envoy resets a stream for every client that gives up and for every check it timed out. nghttp2's own limit (1,000, then
 * 33 a second) then closes the connection under all other checks; this one is out of reach of what Envoy can do.
 */
const STREAM_RESETS = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000 };

/** How many pieces of metadata a Check call may carry; Node's 128 would refuse it as an error. */
const MAX_HEADER_PAIRS = 1_000;

const OPTIONS: ServerOptions = {
  "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
  "grpc.max_concurrent_streams": MAX_CONCURRENT_STREAMS,
  // A peer that vanished without a word is found out within 80 seconds.
  "grpc.keepalive_time_ms": 60_000,
  "grpc.keepalive_timeout_ms": 20_000,
  // Envoy takes a compressed answer for an error. 0 is identity.
  "grpc.default_compression_algorithm": 0,
  // Bookkeeping for a debugging service that is not offered.
  "grpc.enable_channelz": 0,
};

/** Serves `Check` and the health service with `@grpc/grpc-js`, on Node's HTTP/2. */
export function createGrpcJsServer(answer: AnswerCheck, countConnection: CountConnection): CheckServer {
  const server = new Server(OPTIONS);
  raiseHttp2Limits(server);
  server.addService(
    {
      Check: {
        path: `/${AUTHORIZATION}/Check`,
        requestStream: false,
        responseStream: false,
        requestSerialize: asBuffer,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: asBuffer,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      Check: (
        call: { request: Buffer; metadata: CallMetadata },
        respond: (error: null, response: Uint8Array) => void,
      ) => respond(null, answer(call.request, call.metadata)),
    },
  );
  const health = new HealthImplementation({ "": "NOT_SERVING", [AUTHORIZATION]: "NOT_SERVING" });
  const watches = addHealth(health, server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  // One that speaks something else is told so by the server.
  const isEnough = (bytes: Buffer) => speaksHttp2(bytes) !== undefined;
  return {
    take: (socket) => connections.take(socket, { isEnough, use: () => injector.injectConnection(socket) }),
    setServing(serving) {
      for (const service of ["", AUTHORIZATION]) health.setStatus(service, serving ? "SERVING" : "NOT_SERVING");
    },
    stop(graceMs) {
      // It says that it is done before the calls in progress are: a connection ends when its last call has.
      server.tryShutdown(() => {});
      // Who watches the health would do so forever; everything else ends by itself.
      for (const watch of watches) watch.end();
      return connections.finish(graceMs);
    },
  };
}

type Watch = ServerWritableStream<unknown, unknown>;

/** Adds the health service, and returns the calls that watch it at the moment. */
function addHealth(health: HealthImplementation, server: Server): ReadonlySet<Watch> {
  const watches = new Set<Watch>();
  health.addToServer({
    addService(service, { watch, ...rest }) {
      const watchNow = watch as (call: Watch) => void;
      const remembered = (call: Watch) => {
        watches.add(call);
        for (const end of ["close", "cancelled"]) call.once(end, () => watches.delete(call));
        watchNow(call);
      };
      server.addService(service, { ...rest, watch: remembered });
    },
  });
  return watches;
}

/** grpc-js fails every call whose answer is not a Buffer; this makes one of the same memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** grpc-js has no option for these, so they go where it keeps what it hands to `node:http2`; a test sees them at work. */
function raiseHttp2Limits(server: Server): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions: { settings?: object } };
  Object.assign(commonServerOptions, STREAM_RESETS, { maxHeaderListPairs: MAX_HEADER_PAIRS });
  // Above nghttp2's own limit for one block of headers, 64 KiB, which no option of Node's raises.
  commonServerOptions.settings = { ...commonServerOptions.settings, maxHeaderListSize: MAX_HEADER_LIST_BYTES };
}
