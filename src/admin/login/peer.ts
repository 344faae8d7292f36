import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { TLSSocket } from "node:tls";
import { createContextKey } from "@connectrpc/connect";

/** Where a call comes from: the local admin socket, or an address. */
export interface Peer {
  readonly local: boolean;
  readonly address: string;
  /** The certificate that the client has shown by itself, of an authority that the listener trusts. */
  certificate(): X509Certificate | undefined;
}

/** The peer of the call in progress. */
export const kPeer = createContextKey<Peer>({ local: false, address: "", certificate: () => undefined });

/** Who sends a request. */
export function peerOf(request: IncomingMessage | Http2ServerRequest, local: boolean): Peer {
  const { socket, headers } = request;
  // A browser shows its user's certificate for whatever page asks, and says which one does (Fetch Standard §3.2).
  const isOfPage = headers.origin !== undefined;
  return {
    local,
    address: socket.remoteAddress ?? "",
    // Where no authority is trusted, no certificate is asked for and none is authorized.
    certificate: () => (isTls(socket) && socket.authorized && !isOfPage ? socket.getPeerX509Certificate() : undefined),
  };
}

/** Requests over HTTP/2 have a stand-in for their socket, which is of no class. */
function isTls(socket: IncomingMessage["socket"]): socket is TLSSocket {
  return socket instanceof TLSSocket || ("encrypted" in socket && socket.encrypted === true);
}
