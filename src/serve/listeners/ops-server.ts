import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

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

/**
 * Serves `/healthz` (the program runs), `/readyz` (it can answer checks) and `/metrics` on connections that somebody else
 * accepts. It lives on the main thread, so it answers while a disk holds up every other one.
 */
export function createOpsServer(sources: OpsSources): { take(socket: Socket): void; stop(): void } {
  const server = createServer((request, response) => {
    answer(sources, request, response).catch(() => response.destroy());
  });
  // It never listens by itself; told that it does, it watches over the time that its connections take.
  server.emit("listening");
  const connections = new Set<Socket>();
  return {
    take(socket) {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
      server.emit("connection", socket);
    },
    stop() {
      for (const socket of connections) socket.destroy();
    },
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
