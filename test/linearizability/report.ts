import Table from "cli-table3";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { addDelays, type Delays, histogram } from "./delays.ts";
import type { KeyHistory, Place } from "./history.ts";
import { type Finding, judge } from "./judge.ts";
import { judgeRevisions } from "./revisions.ts";
import type { Pair, Round } from "./round.ts";

/** More tell nothing more. */
const TOLD_FINDINGS = 10;

const PLACES = ["same", "other"] as const;

/** Judges rounds, adds up what they show, and says it. */
export class Report {
  accidents = 0;
  readonly #findings: string[] = [];
  readonly #delays: Record<Place, Delays> = {
    same: { refusedMs: [], latestAllowMs: 0 },
    other: { refusedMs: [], latestAllowMs: 0 },
  };
  readonly #counts = { answered: 0, unanswered: 0, checks: 0, lost: 0, unavailable: 0, sightings: 0 };
  #evictions = 0;
  #restarts = 0;

  add({ histories, enforced, sightings, watches, answered, unanswered }: Round): void {
    for (const history of histories) {
      for (const finding of judge(history)) this.#findings.push(told(history, finding));
      for (const place of PLACES) addDelays(this.#delays[place], place, history);
    }
    this.#findings.push(...judgeRevisions(sightings.same, enforced), ...judgeRevisions(sightings.other, []));
    const counts = this.#counts;
    counts.answered += answered;
    counts.unanswered += unanswered;
    counts.sightings += sightings.same.length + sightings.other.length;
    for (const watch of watches) {
      counts.checks += watch.checks;
      counts.lost += watch.lost;
      counts.unavailable += watch.unavailable;
    }
  }

  /** Reads, before the programs end, whether they met what they were meant to meet. */
  async readMetrics(pair: Pair): Promise<void> {
    for (const place of PLACES) {
      const samples = readMetrics(await (await fetch(`http://${pair[place].ops}/metrics`)).text());
      const sum = (name: string, label: string) =>
        [...byLabel(samples, name, label).values()].reduce((a, b) => a + b, 0);
      this.#evictions += sum("keyward_cache_evictions_total", "cache");
      this.#restarts += sum("keyward_thread_restarts_total", "thread");
    }
    if (this.#evictions === 0) this.#findings.push("no cache was ever full: nothing was shown");
    if (this.#restarts === 0) this.#findings.push("no thread was ever replaced: nothing was shown");
  }

  get failed(): boolean {
    return this.#findings.length > 0;
  }

  text(): string {
    const { answered, unanswered, checks, lost, unavailable, sightings } = this.#counts;
    const [same, other] = PLACES.map((place) => histogram(this.#delays[place].refusedMs));
    const table = new Table({
      head: ["first check refused after a revocation", "same process", "other process"],
      style: { head: [], border: [] },
    });
    for (const [index, [range, count]] of (same ?? []).entries()) table.push([range, count, other?.[index]?.[1] ?? 0]);
    const latest = PLACES.map((place) => `${this.#delays[place].latestAllowMs.toFixed(1)} ms`);
    table.push(["latest check allowed", ...latest]);
    return [
      `${answered} changes answered, ${unanswered} not; ${checks} checks answered, ${lost} not, ${unavailable} without a store`,
      `${this.accidents} accidents, ${this.#restarts} threads replaced, ${this.#evictions} evictions, ${sightings} revisions read`,
      table.toString(),
      ...this.#findings.slice(0, TOLD_FINDINGS),
      this.failed ? `BROKEN: ${this.#findings.length} findings` : "kept: every check saw what it may see",
      "",
    ].join("\n");
  }
}

/** A finding with all that is needed to understand it. Times count from the beginning of what was seen. */
function told({ name, states }: KeyHistory, { kind, reading, lateMs }: Finding): string {
  const at = (ms: number) => (ms - reading.begunMs).toFixed(2);
  const lines = states.map((state) => {
    const until = `${at(state.begunMs)} to ${at(state.acknowledgedMs)} ms`;
    return `    ${state.answer}: ${until}, ${state.enforced ? "enforced" : "not said to be enforced"}`;
  });
  const late = lateMs > 0 ? `, ${lateMs.toFixed(2)} ms late` : "";
  const seen = `"${reading.answer}" by ${reading.observer} at 0 to ${at(reading.endedMs)} ms`;
  return [`${kind}${late}: ${name}: ${seen}; its changes:`, ...lines].join("\n");
}
