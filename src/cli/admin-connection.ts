import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Command } from "commander";
import { UsageError } from "./exit.ts";
import { localSettings } from "./local-database.ts";

/** Gives a command the flags that say which Keyward it talks to. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option("--admin-url <url>", "the admin API, such as http://127.0.0.1:7070 (env: KEYWARD_ADMIN_URL)")
    .option("--admin-key-file <file>", "holds the admin key for it (env: KEYWARD_ADMIN_KEY holds the key itself)")
    .option("--database <path>", "without a URL: the database whose local admin socket is used (env: KEYWARD_DATABASE)")
    .option("--listen-admin-local <address>", "the local admin socket itself (env: KEYWARD_LISTEN_ADMIN_LOCAL)")
    .option("--config <file>", "the configuration that names them");
}

/** The values of those flags. */
export interface ConnectionFlags {
  readonly adminUrl?: string;
  readonly adminKeyFile?: string;
  readonly database?: string;
  readonly listenAdminLocal?: string;
  readonly config?: string;
}

/** How long a call may take; a change waits at most a second for the check threads. */
const CALL_TIMEOUT_MS = 30_000;

/** Connects to the admin API: at its URL with an admin key, or else over the local admin socket, where none is needed. */
export function connectAdmin(flags: ConnectionFlags): Transport {
  const url = flags.adminUrl ?? (process.env.KEYWARD_ADMIN_URL || undefined);
  return url === undefined ? connectLocally(flags) : connectOverNetwork(url, flags);
}

function connectOverNetwork(url: string, { adminKeyFile }: ConnectionFlags): Transport {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`--admin-url ${url} must be an http:// or https:// URL`);
  }
  const key = adminKey(adminKeyFile);
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  return createConnectTransport({
    httpVersion: "1.1",
    baseUrl: url,
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

function adminKey(file: string | undefined): string {
  const fromEnvironment = process.env.KEYWARD_ADMIN_KEY;
  if (file === undefined && fromEnvironment) return accept(fromEnvironment, "KEYWARD_ADMIN_KEY");
  const path = file ?? (process.env.KEYWARD_ADMIN_KEY_FILE || join(homedir(), ".config", "keyward", "credentials"));
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `no admin key: ${path} cannot be read (${code}); give --admin-key-file or set KEYWARD_ADMIN_KEY`,
    );
  }
  return accept(text, path);
}

/** What a header cannot carry would be refused in words that repeat it, and it may hold a secret. */
function accept(text: string, place: string): string {
  const key = text.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError(`no admin key: ${place} must hold one, and nothing else`);
  return key;
}

/** Says where nobody answered, and what to do about it. */
function tellUnreachable(where: string): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const system = systemCode(error);
      if (system === undefined) throw error;
      const hint = "is `keyward serve` running? --database, --config or --admin-url name another one";
      throw new ConnectError(`no Keyward answers at ${where} (${system}); ${hint}`, Code.Unavailable);
    }
  };
}

function systemCode(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return code;
  }
  return undefined;
}
