import type { ServerOpts, Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import type { TlsMaterial } from "../../config/tls-files.ts";
import type { HandshakeFailure } from "../../observe/handshake-failures.ts";
import { handshakeFailureOf } from "./handshake-failure.ts";

/** The TLS of a listener. */
export interface TlsOptions {
  readonly material: TlsMaterial;
  /** What is spoken on its connections, the best first (ALPN, RFC 7301). */
  readonly protocols: readonly ("h2" | "http/1.1")[];
  /** Told of each connection that came to nothing. */
  readonly onFailure: (failure: HandshakeFailure, address: string | undefined) => void;
}

/** As long as a connection without TLS may be silent: whoever needs longer is stuck, or wants to keep a socket busy. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Each holds the state of OpenSSL. Where more are in progress the oldest gives way: a client that goes on at once is done. */
const MAX_HANDSHAKES = 1_000;

/**
 * Makes a server that hands over connections once their handshake is done, with TLS 1.2 or later and where authorities of
 * clients are given only with a certificate of theirs. What else comes is closed.
 */
export function createTlsServer(
  { material, protocols, onFailure }: TlsOptions,
  sockets: ServerOpts,
  onConnection: (socket: Socket) => void,
): Server {
  const server = createServer(
    {
      ...sockets,
      ...secureContext(material),
      ALPNProtocols: [...protocols],
      requestCert: material.clientCa !== undefined,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    onConnection,
  );
  boundHandshakes(server);
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    onFailure(handshakeFailureOf(error.code, socket.authorizationError), socket.remoteAddress);
    socket.destroy();
  });
  return server;
}

/** Serves other material to connections to come; those that are there stay. Who could resume a session has to begin anew. */
export function renew(server: Server, material: TlsMaterial): void {
  server.setSecureContext(secureContext(material));
}

function boundHandshakes(server: Server): void {
  /** By the peer's address and port, which is all that a connection has in common with the one that encrypts it. */
  const open = new Map<string, Socket>();
  server.prependListener("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    const [oldest] = open.values();
    if (open.size >= MAX_HANDSHAKES) oldest?.destroy();
    open.set(peer, socket);
    socket.once("close", () => open.get(peer) === socket && open.delete(peer));
  });
  server.prependListener("secureConnection", (socket) => open.delete(peerOf(socket)));
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function secureContext({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  // An empty list trusts nobody; without one, Node would trust the authorities of the web.
  return { cert, key, ca: clientCa ?? [], minVersion: "TLSv1.2" };
}
