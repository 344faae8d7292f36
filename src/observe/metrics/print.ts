import { MetricCells, threadsIn } from "./cells.ts";
import type { Labels, Metric } from "./metric.ts";
import { METRICS, type MetricName } from "./metrics.ts";

/** The type of the text that is printed. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** How threads and slots are called. */
export interface MetricNames {
  /** The value of the label `thread`, by the place of the thread in the memory. */
  readonly threads: readonly string[];
  /** The values of the labels that are told as numbers of slots. */
  readonly slots: Readonly<Record<string, readonly string[]>>;
}

/** Prints every metric in Prometheus's text format, version 0.0.4. */
export function printMetrics(memory: SharedArrayBuffer, names: MetricNames): string {
  const threads = Array.from({ length: threadsIn(memory) }, (_, thread) => new MetricCells(memory, thread));
  return Object.keys(METRICS)
    .flatMap((name) => familyLines(name as MetricName, threads, names))
    .map((line) => `${line}\n`)
    .join("");
}

function familyLines(name: MetricName, threads: readonly MetricCells[], names: MetricNames): string[] {
  const metric: Metric = METRICS[name];
  const lines = [`# HELP ${name} ${escaped(metric.help)}`, `# TYPE ${name} ${metric.kind}`];
  for (const [series, labels] of (metric.series ?? [{}]).entries()) {
    const told = named(labels, metric, names);
    const values = threads.map((cells) => cells.read(name, series));
    if (metric.perThread) {
      for (const [thread, cells] of values.entries()) {
        // A thread that never has to do with it has nothing to tell.
        if (metric.kind !== "gauge" && cells.every((cell) => cell === 0)) continue;
        lines.push(...seriesLines(name, metric, { ...told, thread: names.threads[thread] ?? "" }, cells));
      }
    } else lines.push(...seriesLines(name, metric, told, addedUp(values)));
  }
  return lines;
}

/** Added cell by cell; a cell with nothing to tell counts for nothing, unless all are such. */
function addedUp(values: readonly (readonly number[])[]): readonly number[] {
  return (values[0] ?? []).map((_, index) => {
    const told = values.map((cells) => cells[index] ?? Number.NaN).filter((value) => !Number.isNaN(value));
    return told.length === 0 ? Number.NaN : told.reduce((sum, value) => sum + value, 0);
  });
}

function seriesLines(name: string, metric: Metric, labels: Labels, cells: readonly number[]): string[] {
  const [value = Number.NaN] = cells;
  if (metric.kind !== "histogram") {
    return Number.isNaN(value) || (metric.sparse && value === 0) ? [] : [`${name}${printed(labels)} ${value}`];
  }
  let count = 0;
  const buckets = [...(metric.bounds ?? []), "+Inf"].map((bound, index) => {
    count += cells[index] ?? 0;
    return `${name}_bucket${printed({ ...labels, le: String(bound) })} ${count}`;
  });
  return [...buckets, `${name}_sum${printed(labels)} ${cells.at(-1)}`, `${name}_count${printed(labels)} ${count}`];
}

function named(labels: Labels, { slots }: Metric, names: MetricNames): Labels {
  if (slots === undefined) return labels;
  return { ...labels, [slots]: names.slots[slots]?.[Number(labels[slots])] ?? "" };
}

function printed(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
