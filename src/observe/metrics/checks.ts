import { REASON_NAMES, type Reason } from "../../check/reason.ts";
import { type Labels, type MetricTable, seriesOf } from "./metric.ts";
import { ROUTE_SLOTS } from "./route-slots.ts";

/** What a check can come to: an allow, or a denial with its reason. */
export type Outcome = "allowed" | "public" | Reason;

/** Every outcome. */
export const OUTCOMES: readonly Outcome[] = ["allowed", "public", ...REASON_NAMES];

/** The labels of an outcome. */
export function outcomeLabels(reason: Outcome): Labels {
  return { decision: reason === "allowed" || reason === "public" ? "allow" : "deny", reason };
}

/** What a check thread could not keep until somebody took it. */
export const LOSSES = ["use", "denial", "sighting"] as const;

/** What the check threads count. */
export const CHECK_METRICS = {
  keyward_checks_total: {
    kind: "counter",
    help: "Checks answered, by decision (allow or deny) and reason.",
    series: OUTCOMES.map(outcomeLabels),
  },
  keyward_route_checks_total: {
    kind: "counter",
    help: "Checks answered, by the path of the route that said what was needed. default_access: no route matched; context_extensions: Envoy's route said it; none: refused before a route was looked for; other: routes beyond the first 100.",
    series: Array.from({ length: ROUTE_SLOTS }, (_, slot) => String(slot)).flatMap((route) =>
      OUTCOMES.map((reason) => ({ route, ...outcomeLabels(reason) })),
    ),
    slots: "route",
    sparse: true,
  },
  keyward_check_duration_seconds: {
    kind: "histogram",
    help: "Time from a serialized CheckRequest to its answer, without the transport.",
    // A cached check takes a few microseconds and one that reads SQLite some tens; 200 ms is where Envoy gives up by default.
    bounds: [0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.2],
  },
  keyward_usage_uncounted_total: {
    kind: "counter",
    help: "What found no room until it was written down, and is missing in the use of keys: uses, denials, sightings of networks and user agents.",
    series: seriesOf("what", LOSSES),
  },
} as const satisfies MetricTable;
