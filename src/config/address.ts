import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { Reading } from "./reading.ts";

/** Where a listener waits. `port` 0 takes any free port; `host` is an IPv4 or IPv6 address, or a name. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What an address has to be, as a phrase that follows "must be". */
export const ADDRESS_BOUND = "host:port, unix:PATH or off";

/** Linux keeps a socket's path in 108 bytes, the last of which ends it (unix(7), `sun_path`). */
const MAX_UNIX_PATH_BYTES = 107;

const MAX_PORT = 65_535;

const HOST_AND_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/;

/** RFC 1123 §2.1. The last label is not all digits, so that `300.0.0.1` is a mistyped address and never a name. */
const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/**
 * Reads `host:port`, `[v6]:port`, `unix:PATH` or `off`; for `off` the value is undefined. The problem is a phrase that
 * follows the text in a message. Whether a name can be resolved is only known when the listener starts.
 */
export function readAddress(text: string): Reading<Address | undefined> {
  if (text === "off") return { value: undefined };
  return text.startsWith("unix:") ? readUnix(text.slice("unix:".length)) : readTcp(text);
}

function readUnix(path: string): Reading<Address> {
  if (path === "" || path.includes("\0")) return { problem: "must name a path after unix:" };
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_UNIX_PATH_BYTES) {
    return { problem: `must be a path of at most ${MAX_UNIX_PATH_BYTES} bytes, this one has ${bytes}` };
  }
  return { value: { kind: "unix", path } };
}

function readTcp(text: string): Reading<Address> {
  const { v6, name, port: digits } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  if (host === undefined || digits === undefined) return { problem: `must be ${ADDRESS_BOUND}` };
  const isHost = v6 === undefined ? isIPv4(host) || HOST_NAME.test(host) : isIPv6(host);
  if (!isHost) return { problem: "must begin with an IPv4 address, an IPv6 address in brackets, or a host name" };
  const port = Number(digits);
  if (port > MAX_PORT) return { problem: `must have a port >= 0 and <= ${MAX_PORT}` };
  return { value: { kind: "tcp", host, port } };
}

/** Writes an address so that `readAddress` gives the same again; undefined is `off`. */
export function formatAddress(address: Address | undefined): string {
  if (address === undefined) return "off";
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only this machine can reach the address. Of the names, only `localhost` is sure to (RFC 6761 §6.3). */
export function isLocal(address: Address): boolean {
  if (address.kind === "unix" || address.host.toLowerCase() === "localhost") return true;
  if (isIPv4(address.host)) return LOOPBACK.check(address.host, "ipv4");
  return isIPv6(address.host) && LOOPBACK.check(address.host, "ipv6");
}
