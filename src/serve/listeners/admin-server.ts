import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { AdminHandler } from "../../admin/api.ts";
import { Connections } from "./connections.ts";

/** Serves a handler over HTTP/1.1 and cleartext HTTP/2 on connections that somebody else accepts. */
export interface AdminServer {
  take(socket: Socket): void;
  /** Finishes the calls in progress and closes every connection, and returns whether all had ended after `graceMs`. */
  stop(graceMs: number): Promise<boolean>;
}

/** The first three bytes of the HTTP/2 preface (RFC 9113 §3.4); no method of HTTP/1.1 begins with them. */
const HTTP2_PREFACE = "PRI";

/** An admin request is small: a peer that needs longer to send one is stuck, or wants to keep the connection busy. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Calls that one connection may have in progress; administrators need a few. */
const MAX_CONCURRENT_STREAMS = 100;

/** Which of the two versions a connection speaks is told by its first bytes: both share one port. */
export function createAdminServer(handler: AdminHandler): AdminServer {
  const http1 = createHttp1Server({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, handler);
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS } }, handler);
  // It never listens by itself; told that it does, it watches over the time that its connections take.
  http1.emit("listening");
  // A connection is kept alive for the next call, of which there will be none.
  http1.on("request", (_, response) => response.once("close", () => stopping && http1.closeIdleConnections()));
  const connections = new Connections();
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  http2.on("sessionError", () => {});
  let stopping = false;
  return {
    take(socket) {
      connections.take(socket, HTTP2_PREFACE.length, (bytes) => {
        const server = bytes.toString("latin1", 0, HTTP2_PREFACE.length) === HTTP2_PREFACE ? http2 : http1;
        server.emit("connection", socket);
      });
    },
    stop(graceMs) {
      stopping = true;
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      return connections.finish(graceMs);
    },
  };
}
