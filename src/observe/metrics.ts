import { Counter, Gauge, Registry } from "prom-client";
import { ALERTS, type Alert } from "../usage/alerts.ts";
import { type CheckTotals, DURATION_BOUNDS_SECONDS, OUTCOMES } from "./check-counters.ts";

/** Where the numbers come from when Prometheus asks. */
export interface MetricSources {
  /** The totals of each check thread. */
  totals(): readonly CheckTotals[];
  /** The revision each check thread has applied; undefined where it follows none. */
  appliedRevisions(): readonly (number | undefined)[];
  /** For how long each check thread has not been able to tell whether what it knows is up to date; 0: it is. */
  staleSeconds(): readonly number[];
  /** The milliseconds since 1970 up to which all that each check thread has seen of keys is written down; 0: nothing yet. */
  usageKnownUntilMs(): readonly number[];
  /** Uses of keys that main had to give up. */
  lostUses(): number;
  alerts(): ReadonlyMap<Alert, number>;
  /** Log lines that could not be written, because nobody reads the log. */
  droppedLines(): number;
  restarts(): { readonly check: number; readonly writer: number };
  readonly version: string;
}

/** Makes the registry that `/metrics` prints. Names and units follow Prometheus; no key, tenant or owner is a label. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: "keyward_build_info",
    help: "1, with the version of the program.",
    labelNames: ["version"],
    registers,
  }).set({ version: sources.version }, 1);
  new Counter({
    name: "keyward_checks_total",
    help: "Checks answered, by decision (allow or deny) and reason.",
    labelNames: ["decision", "reason"],
    registers,
    collect() {
      this.reset();
      const totals = sources.totals();
      for (const reason of OUTCOMES) {
        const decision = reason === "allowed" || reason === "public" ? "allow" : "deny";
        this.inc({ decision, reason }, sum(totals.map(({ outcomes }) => outcomes.get(reason) ?? 0)));
      }
    },
  });
  new Counter({
    name: "keyward_cache_lookups_total",
    help: "Look-ups of keys, by what answered: the cache of known keys (hit), that of unknown ones (unknown_hit), or SQLite (miss).",
    labelNames: ["result"],
    registers,
    collect() {
      this.reset();
      const totals = sources.totals();
      this.inc({ result: "hit" }, sum(totals.map(({ cache }) => cache.hits)));
      this.inc({ result: "unknown_hit" }, sum(totals.map(({ cache }) => cache.unknownHits)));
      this.inc({ result: "miss" }, sum(totals.map(({ cache }) => cache.misses)));
    },
  });
  new Gauge({
    name: "keyward_applied_revision",
    help: "The revision of the store up to which a check thread obeys every change; absent while it has not opened the store.",
    labelNames: ["thread"],
    registers,
    collect() {
      this.reset();
      for (const [thread, revision] of sources.appliedRevisions().entries()) {
        if (revision !== undefined) this.set({ thread }, revision);
      }
    },
  });
  new Gauge({
    name: "keyward_store_stale_seconds",
    help: "For how long a check thread has not been able to tell whether what it knows of keys is up to date; 0: it is.",
    labelNames: ["thread"],
    registers,
    collect() {
      for (const [thread, seconds] of sources.staleSeconds().entries()) this.set({ thread }, seconds);
    },
  });
  new Counter({
    name: "keyward_thread_restarts_total",
    help: "Threads that died and were replaced.",
    labelNames: ["thread"],
    registers,
    collect() {
      this.reset();
      for (const [thread, count] of Object.entries(sources.restarts())) this.inc({ thread }, count);
    },
  });
  new Counter({
    name: "keyward_alerts_total",
    help: "Uses of keys that are worth a look, by the event that their log lines name.",
    labelNames: ["event"],
    registers,
    collect() {
      this.reset();
      for (const event of ALERTS) this.inc({ event }, sources.alerts().get(event) ?? 0);
    },
  });
  new Gauge({
    name: "keyward_usage_behind_seconds",
    help: "How old what is written down of the use of keys is, by check thread: about 1 while all is well.",
    labelNames: ["thread"],
    registers,
    collect() {
      this.reset();
      for (const [thread, knownUntilMs] of sources.usageKnownUntilMs().entries()) {
        if (knownUntilMs > 0) this.set({ thread }, Math.max(0, Date.now() - knownUntilMs) / 1000);
      }
    },
  });
  new Counter({
    name: "keyward_usage_uncounted_total",
    help: "What found no room until it was written down, and is missing in the use of keys: uses, denials, sightings of networks and user agents.",
    labelNames: ["what"],
    registers,
    collect() {
      this.reset();
      const totals = sources.totals();
      for (const what of ["use", "denial", "sighting"] as const)
        this.inc({ what }, sum(totals.map(({ lost }) => lost[what])));
      this.inc({ what: "use" }, sources.lostUses());
    },
  });
  new Counter({
    name: "keyward_log_dropped_lines_total",
    help: "Log lines that were left out because there were too many: of allowed checks by a check thread, and of any kind by a reader that is too slow.",
    labelNames: ["where"],
    registers,
    collect() {
      this.reset();
      this.inc({ where: "check_thread" }, sum(sources.totals().map(({ lost }) => lost.allowed_line)));
      this.inc({ where: "output" }, sources.droppedLines());
    },
  });
  return registry;
}

/**
 * The histogram of check durations in the text format. prom-client cannot take over counts that were made elsewhere, and
 * the check threads count for themselves.
 */
export function durationHistogram(totals: readonly CheckTotals[]): string {
  const name = "keyward_check_duration_seconds";
  const lines = [
    `# HELP ${name} Time from a serialized CheckRequest to its answer, without the transport.`,
    `# TYPE ${name} histogram`,
  ];
  let count = 0;
  for (const [index, bound] of [...DURATION_BOUNDS_SECONDS, "+Inf"].entries()) {
    count += sum(totals.map(({ buckets }) => buckets[index] ?? 0));
    lines.push(`${name}_bucket{le="${bound}"} ${count}`);
  }
  lines.push(`${name}_sum ${sum(totals.map(({ durationSeconds }) => durationSeconds))}`, `${name}_count ${count}`);
  return `${lines.join("\n")}\n`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
