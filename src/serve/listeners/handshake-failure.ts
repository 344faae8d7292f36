import type { HandshakeFailure } from "../../observe/handshake-failures.ts";

/** Node's codes: its own, and OpenSSL's reasons in capitals behind `ERR_SSL_`. */
const PATTERNS: readonly (readonly [HandshakeFailure, RegExp])[] = [
  ["closed", /^(?:ECONNRESET|EPIPE)$/],
  ["timeout", /^ERR_TLS_HANDSHAKE_TIMEOUT$/],
  ["plaintext", /^ERR_SSL_(?:HTTP_REQUEST|HTTPS_PROXY_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/],
  ["no_client_certificate", /^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/],
  ["refused_by_client", /^ERR_SSL_\w*_ALERT_\w*(?:CERTIFICATE|UNKNOWN_CA)/],
  [
    "incompatible",
    /^ERR_SSL_(?:UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_SHARED_CIPHER|NO_APPLICATION_PROTOCOL|\w*_ALERT_)/,
  ],
];

/** Tells it by the code of Node's error, and by what was wrong with the client's certificate if that was it. */
export function handshakeFailureOf(code: string | undefined, authorizationError: unknown): HandshakeFailure {
  // Node ends such a connection without an error of its own.
  if (authorizationError) return "bad_client_certificate";
  return PATTERNS.find(([, pattern]) => pattern.test(code ?? ""))?.[0] ?? "other";
}
