import type { Counters } from "../h2/counters.ts";
import type { UnaryServer } from "../h2/unary-server.ts";
import type { MetricCells } from "./metrics/cells.ts";
import { GOAWAY_CAUSES } from "./metrics/engine.ts";

/** How often the counts of the engine are brought into the metrics. */
export const ENGINE_COUNTS_INTERVAL_MS = 1_000;

/** Where the engine counts what a metric tells. */
type Read = (counters: Readonly<Counters>) => number;

/**
 * Makes what adds to the metrics of this thread what the engine has counted since the last time. It is not done as it
 * happens: the engine knows nothing of metrics.
 */
export function createEngineCounts(
  cells: MetricCells,
  server: Pick<UnaryServer, "counters" | "heldBytes">,
): () => void {
  const counts: [cell: ReturnType<MetricCells["at"]>, read: Read][] = [
    [cells.at("keyward_h2_stalled_connections_total"), ({ stalled }) => stalled],
    [cells.at("keyward_h2_resets_total", { by: "peer" }), ({ resetsReceived }) => resetsReceived],
    [cells.at("keyward_h2_resets_total", { by: "keyward" }), ({ resetsSent }) => resetsSent],
    [cells.at("keyward_h2_refused_streams_total"), ({ refusedStreams }) => refusedStreams],
    [cells.at("keyward_h2_refused_requests_total"), ({ refusals }) => refusals],
    [cells.at("keyward_h2_failed_calls_total"), ({ handlerErrors }) => handlerErrors],
    [cells.at("keyward_h2_nuisance_total"), ({ nuisance }) => nuisance],
  ];
  for (const [name, cause] of GOAWAY_CAUSES) {
    counts.push([cells.at("keyward_h2_goaways_total", { cause }), ({ goaways }) => goaways[name]]);
  }
  const told = counts.map(() => 0);
  const held = cells.at("keyward_h2_held_bytes");
  return () => {
    for (const [place, [cell, read]] of counts.entries()) {
      const now = read(server.counters);
      cell.add(now - (told[place] ?? 0));
      told[place] = now;
    }
    held.set(server.heldBytes);
  };
}
