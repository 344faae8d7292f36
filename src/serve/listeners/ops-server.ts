import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { CountConnection } from "../../observe/connection-counters.ts";
import { Connections } from "./connections.ts";
import { answerHttp1Error } from "./http1-error.ts";

/** What the ops listener tells. */
export interface OpsSources {
  /** What keeps the program from being ready; empty: it is. */
  unreadiness(): readonly string[];
  /** What is worth knowing while it is ready. */
  remarks(): readonly string[];
  /** The metrics in Prometheus's text format. */
  metrics(): string;
  readonly metricsContentType: string;
}

/** Who asks are a few probes and a few collectors of metrics. */
const MAX_CONNECTIONS = 128;

/** A request has no body and a few headers: who takes longer to send it is stuck, or wants to keep the connection busy. */
const REQUEST_TIMEOUT_MS = 10_000;

/** How often connections that take too long are looked for. */
const TIMEOUT_INTERVAL_MS = 5_000;

/**
 * Serves `/healthz` (the program runs), `/readyz` (it can answer checks) and `/metrics` on connections that somebody else
 * accepts. It lives on the main thread, so it answers while a disk holds up every other one.
 */
export function createOpsServer(
  sources: OpsSources,
  countConnection: CountConnection,
): { take(socket: Socket): void; stop(): void } {
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  const answering = new WeakSet<Socket>();
  const server = createServer(
    { ...timeouts, connectionsCheckingInterval: TIMEOUT_INTERVAL_MS },
    (request, response) => {
      const { socket } = request;
      // Nobody who wants to know sends more before the answer. Thousands at once, which Node would answer one after the
      // other before it looks at any other connection, would make the program seem dead.
      if (answering.has(socket)) return void socket.destroy();
      answering.add(socket);
      response.once("close", () => answering.delete(socket));
      answer(sources, request, response).catch(() => response.destroy());
    },
  );
  server.on("clientError", (error, socket) => answerHttp1Error(error, socket, () => countConnection("timeout")));
  // It never listens by itself; told that it does, it watches over the time that its connections take.
  server.emit("listening");
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  return {
    take: (socket) => connections.take(socket, { isEnough: () => true, use: () => server.emit("connection", socket) }),
    stop: () => void connections.finish(0),
  };
}

async function answer(sources: OpsSources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: string, type = "text/plain; charset=utf-8") => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(405, "method not allowed\n");
  }
  const path = request.url?.split("?", 1)[0];
  if (path === "/healthz") return send(200, "ok\n");
  if (path === "/readyz") {
    const missing = sources.unreadiness();
    return missing.length === 0 ? send(200, lines("ready", sources.remarks())) : send(503, lines("not ready", missing));
  }
  if (path === "/metrics") return send(200, sources.metrics(), sources.metricsContentType);
  return send(404, "there are /healthz, /readyz and /metrics\n");
}

function lines(verdict: string, more: readonly string[]): string {
  return [verdict, ...more].map((line) => `${line}\n`).join("");
}
