import type { MetricCells } from "./metrics/cells.ts";
import type { ConnectionDrop, ListenerName } from "./metrics/connections.ts";

/**
 * Counts what happens to the connections of one listener: each that is taken is `accepted`, and in the end `closed`; one
 * that is refused or ended by us is counted by the reason as well.
 */
export type CountConnection = (event: "accepted" | "closed" | ConnectionDrop) => void;

/** Counts for one listener of one thread. The connections of a thread that died are gone: none is open at first. */
export function createConnectionCounter(cells: MetricCells, listener: ListenerName): CountConnection {
  const open = cells.at("keyward_connections_open", { listener });
  const accepted = cells.at("keyward_connections_accepted_total", { listener });
  const dropped = (reason: ConnectionDrop) => cells.at("keyward_connections_dropped_total", { listener, reason });
  const drops = { full: dropped("full"), timeout: dropped("timeout"), displaced: dropped("displaced") };
  open.set(0);
  return (event) => {
    if (event === "closed") return open.add(-1);
    if (event !== "accepted") return drops[event].add();
    open.add();
    accepted.add();
  };
}
