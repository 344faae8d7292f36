import { ADMIN_METRICS } from "./admin.ts";
import { CHECK_METRICS } from "./checks.ts";
import { CONNECTION_METRICS } from "./connections.ts";
import { ENGINE_METRICS } from "./engine.ts";
import type { MetricTable } from "./metric.ts";
import { PROGRAM_METRICS } from "./program.ts";
import { STORE_METRICS } from "./store.ts";
import { TLS_METRICS } from "./tls.ts";

/**
 * Every metric there is, by subject. To add one: declare it in the file of its subject, with its HELP; count it where it
 * happens with `cells.at(name, labels).add()` or `cells.histogram(name).observe(seconds)`, on whatever thread that is; write its
 * line into docs/observability.md (a test says which). Names and units follow Prometheus; no key, tenant, owner, address
 * or anything else that a client chooses is a label.
 */
export const METRICS = {
  ...CHECK_METRICS,
  ...STORE_METRICS,
  ...ADMIN_METRICS,
  ...CONNECTION_METRICS,
  ...ENGINE_METRICS,
  ...TLS_METRICS,
  ...PROGRAM_METRICS,
} satisfies MetricTable;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;
