import { TLS_LISTENERS } from "../../config/tls-listeners.ts";
import { HANDSHAKE_FAILURES } from "../handshake-failures.ts";
import { type MetricTable, seriesOf } from "./metric.ts";

/** What is told of listeners that speak TLS. */
export const TLS_METRICS = {
  keyward_tls_certificate_expiry_timestamp_seconds: {
    kind: "gauge",
    help: "When the certificate that a listener serves ends, in seconds since 1970; absent where it speaks no TLS.",
    series: seriesOf("listener", TLS_LISTENERS),
  },
  keyward_tls_renewals_total: {
    kind: "counter",
    help: "Changes of certificate files: taken over (applied), or not fit to be served, so that the certificate before goes on (refused).",
    series: TLS_LISTENERS.flatMap((listener) => ["applied", "refused"].map((result) => ({ listener, result }))),
  },
  keyward_tls_handshake_failures_total: {
    kind: "counter",
    help: "Connections that came to nothing in their TLS handshake, by why.",
    series: TLS_LISTENERS.flatMap((listener) => HANDSHAKE_FAILURES.map((reason) => ({ listener, reason }))),
    sparse: true,
  },
} as const satisfies MetricTable;
