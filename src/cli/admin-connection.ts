import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Command } from "commander";
import { bearer, type CredentialFlags, clientTls } from "./admin-credentials.ts";
import { UsageError } from "./exit.ts";
import { localSettings } from "./local-database.ts";

/** Gives a command the flags that say which Keyward it talks to. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option("--admin-url <url>", "the admin API, such as http://127.0.0.1:7070 (env: KEYWARD_ADMIN_URL)")
    .option(
      "--admin-key-file <file>",
      "holds the admin key for it (env: KEYWARD_ADMIN_KEY holds the key itself, KEYWARD_ADMIN_TOKEN a token in its place)",
    )
    .option(
      "--admin-ca <file>",
      "the authority of an https URL's certificate, if not one of the web (env: KEYWARD_ADMIN_CA)",
    )
    .option("--admin-cert <file>", "a client certificate to show (env: KEYWARD_ADMIN_CERT)")
    .option("--admin-cert-key <file>", "the private key of that certificate (env: KEYWARD_ADMIN_CERT_KEY)")
    .option("--database <path>", "without a URL: the database whose local admin socket is used (env: KEYWARD_DATABASE)")
    .option("--listen-admin-local <address>", "the local admin socket itself (env: KEYWARD_LISTEN_ADMIN_LOCAL)")
    .option("--config <file>", "the configuration that names them");
}

/** The values of those flags. */
export interface ConnectionFlags extends CredentialFlags {
  readonly adminUrl?: string;
  readonly database?: string;
  readonly listenAdminLocal?: string;
  readonly config?: string;
}

/** How long a call may take; a change waits at most a second for the check threads. */
const CALL_TIMEOUT_MS = 30_000;

/**
 * Connects to the admin API: at its URL with an admin key, a token or a client certificate, or else over the local admin
 * socket, where none is needed.
 */
export function connectAdmin(flags: ConnectionFlags): Transport {
  const url = flags.adminUrl ?? (process.env.KEYWARD_ADMIN_URL || undefined);
  return url === undefined ? connectLocally(flags) : connectOverNetwork(url, flags);
}

function connectOverNetwork(url: string, flags: ConnectionFlags): Transport {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`--admin-url ${url} must be an http:// or https:// URL`);
  }
  const tls = clientTls(flags);
  const isEncrypted = new URL(url).protocol === "https:";
  if (!isEncrypted && tls.cert !== undefined) {
    throw new UsageError(`--admin-cert can be shown over https:// only, and --admin-url is ${url}`);
  }
  const secret = bearer(flags, tls.cert !== undefined);
  const authorize: Interceptor = (next) => (request) => {
    if (secret !== undefined) request.header.set("authorization", `Bearer ${secret}`);
    return next(request);
  };
  return createConnectTransport({
    httpVersion: "1.1",
    baseUrl: url,
    ...(isEncrypted && { nodeOptions: tls }),
    defaultTimeoutMs: CALL_TIMEOUT_MS,
    interceptors: [tellUnreachable(url), authorize],
  });
}

function connectLocally(flags: ConnectionFlags): Transport {
  const socket = localSettings(flags).listen.adminLocal;
  if (socket === undefined) throw new UsageError("listen.admin_local is off; give --admin-url and an admin key");
  return createConnectTransport({
    httpVersion: "1.1",
    // The name goes into the Host header and nowhere else.
    baseUrl: "http://local",
    nodeOptions: { socketPath: socket.path },
    defaultTimeoutMs: CALL_TIMEOUT_MS,
    interceptors: [tellUnreachable(`unix:${socket.path}`)],
  });
}

/** Says where nobody answered, and what to do about it. */
function tellUnreachable(where: string): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const system = systemCode(error);
      if (system === undefined) throw error;
      const distrust = distrustOf(system);
      if (distrust !== undefined) throw new ConnectError(`${where}: ${distrust} (${system})`, Code.Unavailable);
      if (/^(?:ECONNRESET|EPIPE)$/.test(system) && /^https?:/.test(where)) throw closed(where, system);
      const hint = "is `keyward serve` running? --database, --config or --admin-url name another one";
      throw new ConnectError(`no Keyward answers at ${where} (${system}); ${hint}`, Code.Unavailable);
    }
  };
}

function systemCode(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === "string" && (/^E[A-Z]+$/.test(code) || distrustOf(code) !== undefined)) return code;
  }
  return undefined;
}

/** Node's servers close a connection without a word that lacks a certificate, or TLS. */
function closed(where: string, system: string): ConnectError {
  const why = where.startsWith("https:")
    ? "it may ask for a client certificate (--admin-cert, --admin-cert-key), or not trust the one that was shown"
    : "it may speak TLS (https://)";
  return new ConnectError(`${where} has closed the connection (${system}); ${why}`, Code.Unavailable);
}

/** What a TLS connection came to nothing for, by Node's code; undefined: by none that is known. */
function distrustOf(code: string): string | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "its certificate is for another host";
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(code)) return "its certificate is not valid at this time";
  if (/^(?:CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE)/.test(code)) {
    return "its certificate is not of an authority that is trusted; --admin-ca names the file of one";
  }
  if (/^ERR_SSL_.*ALERT_(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/.test(code)) {
    return "it asks for a client certificate; give --admin-cert and --admin-cert-key";
  }
  return /^(?:EPROTO|ERR_SSL_\w+)$/.test(code) ? "what answers there does not speak TLS as we do" : undefined;
}
