import type { Cut } from "../h2/service.ts";
import type { Log } from "./log.ts";

/** A line in so long tells of all of them. */
const LOG_INTERVAL_MS = 10_000;

/** Connections are told of together that are cut within this time of the first. */
const GATHERING_MS = 1_000;

/**
 * Makes what is told of connections to the engine that were cut: one line in ten seconds for all of them, with how many
 * there were, and of the last one why in words and whose it was.
 */
export function createCutConnections(log: Log): (cut: Cut) => void {
  let count = 0;
  let last: Cut | undefined;
  let lastLineMs = Number.NEGATIVE_INFINITY;

  const tell = () => {
    log("warn", "connections to listen.authz were ended for what their peers did", {
      count,
      why: last?.why,
      cause: last?.reason,
      address: last?.remoteAddress,
    });
    count = 0;
    lastLineMs = performance.now();
  };

  return (cut) => {
    last = cut;
    if (++count > 1) return;
    setTimeout(tell, Math.max(GATHERING_MS, lastLineMs + LOG_INTERVAL_MS - performance.now())).unref();
  };
}
