import { ALERTS } from "../../usage/alerts.ts";
import { VERSION } from "../../version.ts";
import { type MetricTable, seriesOf } from "./metric.ts";

/** What is told of the program, its threads and its log. */
export const PROGRAM_METRICS = {
  keyward_build_info: {
    kind: "gauge",
    help: "1, with the version of the program.",
    series: [{ version: VERSION }],
  },
  keyward_thread_restarts_total: {
    kind: "counter",
    help: "Threads that died and were replaced.",
    series: seriesOf("thread", ["writer", "check"]),
  },
  keyward_event_loop_delay_seconds: {
    kind: "histogram",
    help: "How late a timer of a thread came, looked at ten times a second: what stands still for longer answers nobody meanwhile.",
    bounds: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5, 30],
    perThread: true,
  },
  keyward_thread_heartbeat_timestamp_seconds: {
    kind: "gauge",
    help: "When a thread last had time for a timer, in seconds since 1970: it stands still since then.",
    perThread: true,
  },
  keyward_usage_behind_seconds: {
    kind: "gauge",
    help: "How old what is written down of the use of keys is, by check thread: about 1 while all is well.",
    perThread: true,
  },
  keyward_alerts_total: {
    kind: "counter",
    help: "Uses of keys that are worth a look, by the event that their log lines name.",
    series: seriesOf("event", ALERTS),
  },
  keyward_log_dropped_lines_total: {
    kind: "counter",
    help: "Log lines that were left out because there were too many: of allowed checks by a check thread, and of any kind by a reader that is too slow.",
    series: seriesOf("where", ["check_thread", "output"]),
  },
  keyward_config_reloads_total: {
    kind: "counter",
    help: "Times the configuration was read again, by what came of it: in effect on all threads (success), or of no use and nothing changed (failure).",
    series: seriesOf("result", ["success", "failure"]),
  },
  keyward_config_last_reload_successful: {
    kind: "gauge",
    help: "1 while the configuration that was read last is in effect; 0: it could not be used, and the one before it is.",
  },
  keyward_config_last_reload_success_timestamp_seconds: {
    kind: "gauge",
    help: "Since when the configuration in effect is, in seconds since 1970.",
  },
  keyward_trace_spans_total: {
    kind: "counter",
    help: "Spans of traces by what became of them: exported, or dropped because the collector did not take them in time.",
    series: seriesOf("result", ["exported", "dropped"]),
  },
  process_cpu_seconds_total: {
    kind: "counter",
    help: "Processor time of the program, user and system.",
  },
  process_resident_memory_bytes: {
    kind: "gauge",
    help: "Memory of the program that is in RAM.",
  },
  process_start_time_seconds: {
    kind: "gauge",
    help: "When the program was started, in seconds since 1970.",
  },
  process_open_fds: {
    kind: "gauge",
    help: "Files and sockets that the program has open (Linux).",
  },
  process_max_fds: {
    kind: "gauge",
    help: "How many files and sockets the program may have open (Linux).",
  },
} as const satisfies MetricTable;
