import { ERROR, type ErrorName } from "../../h2/connection-error.ts";
import { type MetricTable, seriesOf } from "./metric.ts";

/** The causes of a GOAWAY, as RFC 9113 §7 names them; `drain` is the one that is no error. */
export const GOAWAY_CAUSES = (Object.keys(ERROR) as ErrorName[]).map((name) => [name, causeOf(name)] as const);

/** What the HTTP/2 engine of `transport: h2` counts. All are 0 with the other transport. */
export const ENGINE_METRICS = {
  keyward_h2_goaways_total: {
    kind: "counter",
    help: "Connections of the engine that were ended by a GOAWAY, by its cause: drain loses nothing, any other is a peer that broke the rules (enhance_your_calm: too much that was no call).",
    series: seriesOf(
      "cause",
      GOAWAY_CAUSES.map(([, cause]) => cause),
    ),
  },
  keyward_h2_stalled_connections_total: {
    kind: "counter",
    help: "Connections of the engine that were cut because their peer did not read, or did not answer.",
  },
  keyward_h2_resets_total: {
    kind: "counter",
    help: "Calls that were reset, by who did it: clients that gave up (peer), or requests against the rules (keyward).",
    series: seriesOf("by", ["peer", "keyward"]),
  },
  keyward_h2_refused_streams_total: {
    kind: "counter",
    help: "Calls refused because too many on their connection had not come whole; the peer may try again at once.",
  },
  keyward_h2_refused_requests_total: {
    kind: "counter",
    help: "Requests answered without a check: an unknown method, a compressed message, or no gRPC at all.",
  },
  keyward_h2_failed_calls_total: {
    kind: "counter",
    help: "Calls that ended with INTERNAL: a defect of Keyward, told in its log.",
  },
  keyward_h2_nuisance_total: {
    kind: "counter",
    help: "What peers did that brought no call nearer to its answer: resets, pings, settings, empty frames. A connection that does too much of it is ended.",
  },
  keyward_h2_held_bytes: {
    kind: "gauge",
    help: "Bytes held for requests that have not come whole, and for answers that their peers do not take yet.",
  },
} as const satisfies MetricTable;

/** `enhanceYourCalm` is `enhance_your_calm`. */
function causeOf(name: ErrorName): string {
  return name === "none" ? "drain" : name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
