import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpAnswer } from "../../check/http/answer.ts";
import { DIALECT_NAMES, DIALECTS, dialectOf } from "../../check/http/dialects.ts";
import type { HttpRequest } from "../../check/http/request.ts";
import type { CountConnection } from "../../observe/connection-counters.ts";
import { Connections } from "./connections.ts";
import { answerHttp1Error } from "./http1-error.ts";

/** The HTTP data plane on connections that somebody else accepts. */
export interface ForwardAuthServer {
  take(socket: Socket): void;
  /** Goes on answering, and closes each connection with its next answer: a gateway then asks on a new one, or elsewhere. */
  drain(): void;
  /**
   * Finishes the requests in progress and closes every connection, with what is still open after `graceMs`. Returns whether
   * nothing was.
   */
  stop(graceMs: number): Promise<boolean>;
}

/**
 * The largest request line and headers together. Gateways pass on what clients send: Envoy lets 60 KiB through by default
 * and nginx 32, and what they add must fit as well. More is answered with 431, which all of them take for a denial.
 */
const MAX_HEADER_BYTES = 128 * 1024;

/**
 * How many connections a check thread has at the most: nginx opens one for each check unless it is told to keep some, and
 * the others one for each request that waits at the same moment. What their headers can take stays below 256 MiB.
 */
const MAX_CONNECTIONS = 2_048;

/** How long a request may take to arrive. Gateways are near, and have it whole before they ask. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * How long a connection may wait for its next request: longer than gateways keep theirs (nginx and HAProxy 60 s, Traefik and
 * Caddy 90 s and 2 min), so that it is they who close, and none asks on a connection that is about to be closed.
 */
const KEEP_ALIVE_TIMEOUT_MS = 150_000;

/** How often connections that take too long are looked for. */
const TIMEOUT_INTERVAL_MS = 5_000;

/** Serves each dialect at its URL, with a function that must not throw. Any other URL is 404, which opens nothing. */
export function createForwardAuthServer(
  answer: (request: HttpRequest) => HttpAnswer,
  countConnection: CountConnection,
): ForwardAuthServer {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_INTERVAL_MS,
  };
  let draining = false;
  const server = createServer(options, (request, response) => {
    if (draining) response.setHeader("connection", "close");
    respond(answer, request, response);
  });
  // Node would leave out what comes after the 2,000th header, and a copy that makes the request ambiguous may be there.
  server.maxHeadersCount = 0;
  server.on("clientError", (error, socket) => answerHttp1Error(error, socket, () => countConnection("timeout")));
  // Node would close the connection without a word, which Envoy's `failure_mode_allow` lets through.
  server.on("connect", (_, socket) => {
    // From here on nobody else hears them.
    socket.on("error", () => socket.destroy());
    socket.end(CONNECT_REFUSED, () => socket.destroy());
  });
  // It never listens by itself; told that it does, it watches over the time that its connections take.
  server.emit("listening");
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  return {
    take: (socket) => connections.take(socket, { isEnough: () => true, use: () => server.emit("connection", socket) }),
    drain() {
      draining = true;
    },
    stop(graceMs) {
      draining = true;
      // Ends what waits for its next request.
      server.close();
      return connections.finish(graceMs);
    },
  };
}

function respond(
  answer: (request: HttpRequest) => HttpAnswer,
  { method = "", url = "", rawHeaders }: IncomingMessage,
  response: ServerResponse,
): void {
  const dialect = dialectOf(url);
  const { status, headers, body } = dialect === undefined ? NOT_FOUND : answer({ dialect, method, url, rawHeaders });
  response.writeHead(status, [...headers, ["content-length", String(body.length)]].flat());
  response.end(body);
}

/** No path is told with CONNECT (RFC 9110 §9.3.6), so that nothing can be judged. */
const CONNECT_REFUSED = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

const NOT_FOUND: HttpAnswer = {
  status: 404,
  headers: [["content-type", "text/plain; charset=utf-8"]],
  body: `checks are answered at ${DIALECT_NAMES.map((name) => DIALECTS[name].path).join(", ")}\n`,
};
