import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type Address, formatAddress } from "../../config/address.ts";
import type { TlsMaterial } from "../../config/tls-files.ts";
import { StartError } from "../start-error.ts";
import { createTlsServer, renew, type TlsOptions } from "./tls-server.ts";

/** A listener that waits at its address. */
export interface Listener {
  /** With the port that was taken, where 0 was asked for. */
  readonly address: Address;
  /** Has connections to come served with another certificate. Only where the listener has had one. */
  renew(material: TlsMaterial): void;
  /** Takes no more connections, and gives the address back at once; those that are there stay. */
  close(): void;
}

/** What a listener is to be. */
export interface ListenOptions {
  readonly address: Address;
  /** Names the setting in errors, such as `listen.authz`. */
  readonly setting: string;
  /** Left out: connections are not encrypted. */
  readonly tls?: TlsOptions | undefined;
  /** Takes each new connection, with TLS once its handshake is done. */
  readonly onConnection: (socket: Socket) => void;
  /** Shares the port with other threads of this program (SO_REUSEPORT). TCP only. */
  readonly shared?: boolean;
  /** The permissions of a Unix socket. */
  readonly socketMode?: number;
}

/** Group and owner may connect: the proxy beside us usually runs as another user of the same group. */
const PROXY_SOCKET_MODE = 0o660;

/** How long a connection is quiet before the system asks whether its peer is there; by itself it would wait two hours. */
const PROBE_AFTER_MS = 60_000;

const SOCKETS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS };

/**
 * Takes an address and waits for connections. A Unix socket that nobody answers is removed first: it outlives a program
 * that was killed. Throws StartError where the address cannot be had.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { address, tls, onConnection } = options;
  const encrypted = tls && createTlsServer(tls, SOCKETS, onConnection);
  const server = encrypted ?? createServer(SOCKETS, onConnection);
  if (address.kind === "unix") await removeStaleSocket(address.path, options);
  try {
    await bind(server, options);
  } catch (cause) {
    throw new StartError(explain(cause as NodeJS.ErrnoException, options), cause);
  }
  // Where the system has no file left for a connection it is refused, and the next one may be taken.
  server.on("error", () => {});
  return {
    address: boundAddress(server, address),
    close: () => server.close(),
    renew: (material) => encrypted && renew(encrypted, material),
  };
}

/**
 * Makes sure that nobody else listens at a TCP address that several threads are about to share, and returns it with a
 * port where 0 was asked for. Sharing would hide another program on the same port, even another Keyward.
 */
export async function probeAddress(address: Address, setting: string): Promise<Address> {
  const listener = await listen({ address, setting, onConnection: (socket) => socket.destroy() });
  listener.close();
  return listener.address;
}

async function bind(server: Server, { address, shared = false, socketMode }: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  const listening = () => {
    server.off("error", reject);
    resolve();
  };
  if (address.kind === "tcp") {
    server.listen({ host: address.host, port: address.port, reusePort: shared }, listening);
    return promise;
  }
  // The program's mask lets nobody but its own user connect until chmod has opened the socket to whom it is meant for.
  server.listen({ path: address.path }, listening);
  await promise;
  chmodSync(address.path, socketMode ?? PROXY_SOCKET_MODE);
}

function boundAddress(server: Server, address: Address): Address {
  const bound = server.address();
  if (address.kind === "unix" || bound === null || typeof bound === "string") return address;
  return { ...address, port: bound.port };
}

async function removeStaleSocket(path: string, options: ListenOptions): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new StartError(
      `${options.setting}: ${path} is there and is not a socket; move it away or choose another path`,
    );
  }
  if (await isAnswered(path)) throw new StartError(inUse(options));
  unlinkSync(path);
}

function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  // Refused: nobody listens any more. Any other error leaves doubt, and a doubt removes nothing.
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  return promise.finally(() => socket.destroy());
}

function inUse({ address, setting }: ListenOptions): string {
  return `${setting}: ${formatAddress(address)} is in use by another program, perhaps another Keyward; stop it or set ${setting} to a free address`;
}

function explain(error: NodeJS.ErrnoException, options: ListenOptions): string {
  const { address, setting } = options;
  const where = formatAddress(address);
  if (error.code === "EADDRINUSE") return inUse(options);
  // For a Unix socket libuv reports a missing directory as EACCES.
  const directory = address.kind === "unix" && !existsSync(dirname(address.path));
  if (error.code === "ENOENT" || directory) return `${setting}: the directory of ${where} does not exist`;
  if (error.code === "EACCES" || error.code === "EPERM") return `${setting}: no permission to listen at ${where}`;
  if (error.code === "EADDRNOTAVAIL") return `${setting}: ${where} is not an address of this machine`;
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") return `${setting}: the name in ${where} is not known`;
  return `${setting}: cannot listen at ${where}: ${error.message}`;
}
