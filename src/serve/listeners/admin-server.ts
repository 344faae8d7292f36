import { createServer as createHttp1Server } from "node:http";
import { constants, createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { AdminHandler } from "../../admin/api.ts";
import type { CountConnection } from "../../observe/connection-counters.ts";
import { Connections } from "./connections.ts";
import { answerHttp1Error } from "./http1-error.ts";
import { speaksHttp2 } from "./http2-preface.ts";

/** Serves a handler over HTTP/1.1 and cleartext HTTP/2 on connections that somebody else accepts. */
export interface AdminServer {
  take(socket: Socket): void;
  /** Finishes the calls in progress and closes every connection, and returns whether all had ended after `graceMs`. */
  stop(graceMs: number): Promise<boolean>;
}

/** An admin request is small: a peer that needs longer to send one is stuck, or wants to keep the connection busy. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How often requests over HTTP/1.1 that take too long are looked for. */
const TIMEOUT_INTERVAL_MS = 5_000;

/** Calls that one connection may have in progress; administrators need a few. */
const MAX_CONCURRENT_STREAMS = 100;

/** Administrators and their tools are few. What strangers can send before they are refused takes memory for each. */
const MAX_CONNECTIONS = 256;

/** How often the peer of an HTTP/2 connection is asked whether it is there. One that has not answered by the next time is not. */
const PING_INTERVAL_MS = 60_000;

/** Which of the two versions a connection speaks is told by its first bytes: both share one port. */
export function createAdminServer(handler: AdminHandler, countConnection: CountConnection): AdminServer {
  const timeouts = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_INTERVAL_MS,
  };
  const http1 = createHttp1Server(timeouts, handler);
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS } }, handler);
  // It never listens by itself; told that it does, it watches over the time that its connections take.
  http1.emit("listening");
  // A connection is kept alive for the next call, of which there will be none.
  http1.on("clientError", (error, socket) => {
    answerHttp1Error(error, socket, () => countConnection("timeout"));
  });
  http1.on("request", (_, response) => response.once("close", () => stopping && http1.closeIdleConnections()));
  http2.on("request", (request) => {
    const timer = setTimeout(() => {
      countConnection("timeout");
      request.stream.close(constants.NGHTTP2_CANCEL);
    }, REQUEST_TIMEOUT_MS);
    for (const end of ["end", "close"]) request.stream.once(end, () => clearTimeout(timer));
  });
  const connections = new Connections({ limit: MAX_CONNECTIONS, count: countConnection });
  const isEnough = (bytes: Buffer) => speaksHttp2(bytes) !== undefined;
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    const stopPinging = pingPeer(session, () => countConnection("timeout"));
    session.once("close", () => {
      stopPinging();
      sessions.delete(session);
    });
    session.on("error", () => session.destroy());
  });
  http2.on("sessionError", () => {});
  let stopping = false;
  return {
    take(socket) {
      const use = (bytes: Buffer) => (speaksHttp2(bytes) ? http2 : http1).emit("connection", socket);
      connections.take(socket, { isEnough, use });
    },
    stop(graceMs) {
      stopping = true;
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      return connections.finish(graceMs);
    },
  };
}

/** Ends a connection whose peer is gone without a word. Returns what stops the asking. */
function pingPeer(session: ServerHttp2Session, onGone: () => void): () => void {
  let isAnswered = true;
  const timer = setInterval(() => {
    if (!isAnswered) {
      onGone();
      return session.destroy();
    }
    isAnswered = false;
    session.ping(() => {
      isAnswered = true;
    });
  }, PING_INTERVAL_MS);
  return () => clearInterval(timer);
}
