import type { TlsListener } from "../config/tls-listeners.ts";
import { createGatheredLine } from "./gathered-line.ts";
import type { Log } from "./log.ts";
import type { MetricCells } from "./metrics/cells.ts";

/** Why a TLS connection came to nothing; a closed list, since it is a label of a metric. */
export const HANDSHAKE_FAILURES = [
  /** The client went away, as probes do that only connect. */
  "closed",
  "timeout",
  /** What came is no TLS: a client that was not told to speak it. */
  "plaintext",
  /** No common version, cipher or protocol. */
  "incompatible",
  "no_client_certificate",
  /** The client's certificate is expired, not for clients, or not of the authorities. */
  "bad_client_certificate",
  /** The client does not like our certificate. */
  "refused_by_client",
  "other",
] as const;

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/**
 * Makes what is told of failed TLS handshakes of a listener: each is counted at once, and a line tells of all, with one of
 * the addresses, once in ten seconds. Connections that only came and went, as those of probes do, have no line.
 */
export function createHandshakeFailures(
  listener: TlsListener,
  cells: MetricCells,
  log: Log,
): (failure: HandshakeFailure, address: string | undefined) => void {
  let untold = new Map<HandshakeFailure, number>();
  let lastAddress: string | undefined;

  const askForLine = createGatheredLine(() => {
    log("warn", `connections to listen.${listener} came to nothing in their TLS handshake`, {
      ...Object.fromEntries(untold),
      address: lastAddress,
    });
    untold = new Map();
    lastAddress = undefined;
  });

  return (reason, address) => {
    cells.at("keyward_tls_handshake_failures_total", { listener, reason }).add();
    if (reason === "closed") return;
    untold.set(reason, (untold.get(reason) ?? 0) + 1);
    lastAddress = address ?? lastAddress;
    askForLine();
  };
}
