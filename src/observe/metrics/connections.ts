import { type MetricTable, seriesOf } from "./metric.ts";

/** The listeners, as the configuration names them. */
const LISTENERS = ["authz", "forward_auth", "admin", "admin_local", "ops"] as const;

export type ListenerName = (typeof LISTENERS)[number];

/** Why a connection was refused or ended by us. */
const DROPS = ["full", "timeout", "displaced"] as const;

export type ConnectionDrop = (typeof DROPS)[number];

/** What the threads with listeners count of their connections. */
export const CONNECTION_METRICS = {
  keyward_connections_open: {
    kind: "gauge",
    help: "Connections that are open, by listener.",
    series: seriesOf("listener", LISTENERS),
  },
  keyward_connections_accepted_total: {
    kind: "counter",
    help: "Connections that were taken, by listener.",
    series: seriesOf("listener", LISTENERS),
  },
  keyward_connections_dropped_total: {
    kind: "counter",
    help: "Connections refused because too many were open (full), ended because what they had to send or to answer took too long (timeout), and quiet ones that made room for others (displaced), by listener.",
    series: LISTENERS.flatMap((listener) => DROPS.map((reason) => ({ listener, reason }))),
  },
} as const satisfies MetricTable;
