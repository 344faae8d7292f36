import type { TlsMaterial } from "../../config/tls-files.ts";
import type { TlsListener } from "../../config/tls-listeners.ts";
import { createHandshakeFailures } from "../../observe/handshake-failures.ts";
import type { Log } from "../../observe/log.ts";
import type { MetricCells } from "../../observe/metrics/cells.ts";
import type { TlsOptions } from "./tls-server.ts";

/** What each listener speaks, the best first. */
const PROTOCOLS = {
  authz: ["h2"],
  forward_auth: ["http/1.1"],
  admin: ["h2", "http/1.1"],
  ops: ["http/1.1"],
} as const satisfies Record<TlsListener, TlsOptions["protocols"]>;

/** The TLS of a listener, whose failures are counted and told; undefined where it has no certificate. */
export function listenerTls(
  listener: TlsListener,
  material: TlsMaterial | undefined,
  cells: MetricCells,
  log: Log,
): TlsOptions | undefined {
  if (material === undefined) return undefined;
  return { material, protocols: PROTOCOLS[listener], onFailure: createHandshakeFailures(listener, cells, log) };
}
