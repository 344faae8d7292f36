import type { Log } from "../../observe/log.ts";
import type { MetricCells } from "../../observe/metrics/cells.ts";
import type { SpanExporter } from "../../observe/traces/exporter.ts";
import type { UsageRelay } from "../../usage/relay.ts";
import type { Examination } from "../examination.ts";
import { checkName, type ProgramThreads, WRITER } from "./program-threads.ts";
import type { Rollout } from "./rollout.ts";
import type { OtherReport } from "./worker.ts";

/** Who is concerned by what threads report to main. */
export interface ReportHearers {
  readonly threads: ProgramThreads;
  readonly rollout: Rollout;
  readonly examination: Examination;
  readonly relay: UsageRelay;
  /** Undefined: nothing is traced. */
  readonly spans: SpanExporter | undefined;
  readonly cells: MetricCells;
  readonly log: Log;
}

/** Makes what main does about the reports of the writer and of a check thread. */
export function createReportHearing({ threads, rollout, examination, relay, spans, cells, log }: ReportHearers) {
  return {
    writer(report: OtherReport) {
      if (report.kind === "configured") rollout.obeys(WRITER, report.configuration);
      else if (report.kind === "unread") examination.request(report.file);
      else if (report.kind === "usage_written") relay.written(report.source, report.seq);
      else if (report.kind === "alerts")
        for (const [event, count] of report.counts) cells.at("keyward_alerts_total", { event }).add(count);
    },
    check(thread: number, report: OtherReport) {
      if (report.kind === "configured") rollout.obeys(checkName(thread), report.configuration);
      else if (report.kind === "unread") examination.request(report.file);
      else if (report.kind === "usage") relay.take(report.batch);
      else if (report.kind === "allowed") {
        for (const { atMs, decisionId, keyId, route } of report.lines) {
          const at = new Date(atMs).toISOString();
          log("info", "allowed", { at, decision_id: decisionId, key_id: keyId, route });
        }
        threads.check[thread]?.order({ kind: "allowed_taken" });
      } else if (report.kind === "spans") {
        spans?.take(report.spans);
        threads.check[thread]?.order({ kind: "spans_taken" });
      }
    },
  };
}
