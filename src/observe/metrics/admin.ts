import { METHOD_ACCESS } from "../../admin/admin-scope.ts";
import { LOGIN_FAILURES } from "../login-failures.ts";
import { type MetricTable, seriesOf } from "./metric.ts";

/** The codes of Connect, and `ok`. */
const CODES = [
  ...["ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists"],
  ...["permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented"],
  ...["internal", "unavailable", "data_loss", "unauthenticated"],
];

/** What the writer thread counts of the admin API. */
export const ADMIN_METRICS = {
  keyward_admin_calls_total: {
    kind: "counter",
    help: "Calls of the admin API that have ended, by method and code of Connect (ok, permission_denied, …). Those of the REST façade count as the calls that they make.",
    series: Object.keys(METHOD_ACCESS).flatMap((method) => CODES.map((code) => ({ method, code }))),
    sparse: true,
  },
  keyward_admin_login_failures_total: {
    kind: "counter",
    help: "Calls of the admin API whose caller was not let in, by why: nothing presented (none), no key and no token (malformed), an admin key or a token that is not valid, an issuer whose keys cannot be had, and too many failures from one address (throttled).",
    series: seriesOf("reason", LOGIN_FAILURES),
  },
  keyward_admin_call_duration_seconds: {
    kind: "histogram",
    help: "Time of calls of the admin API, without those that watch or stream.",
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
  },
  keyward_admin_watches: {
    kind: "gauge",
    help: "Watches of the audit trail that are open; more than 64 are refused (resource_exhausted).",
  },
} as const satisfies MetricTable;
