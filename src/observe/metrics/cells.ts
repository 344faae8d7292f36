import type { Labels, Metric } from "./metric.ts";
import { METRICS, type MetricName } from "./metrics.ts";

/** What one series counts on one thread. */
export interface Cell {
  add(count?: number): void;
  /** For a gauge, and for a counter that somebody else counts. NaN: there is nothing to tell. */
  set(value: number): void;
}

/** One series of a histogram on one thread. */
export interface Histogram {
  observe(seconds: number): void;
}

interface Place {
  readonly start: number;
  /** Cells of one series: a histogram has one for each bucket, one for what is above them, and one for the sum. */
  readonly width: number;
  readonly series: ReadonlyMap<string, number>;
}

const PLACES = new Map<string, Place>();
let length = 0;
for (const [name, metric] of Object.entries<Metric>(METRICS)) {
  const series = new Map((metric.series ?? [{}]).map((labels, index) => [seriesKey(labels), index]));
  const width = metric.kind === "histogram" ? (metric.bounds ?? []).length + 2 : 1;
  PLACES.set(name, { start: length, width, series });
  length += width * series.size;
}

/** What one thread takes, in whole cache lines of 64 bytes: two threads never count in the same line. */
const THREAD_BYTES = Math.ceil((length * Float64Array.BYTES_PER_ELEMENT) / 64) * 64;

/** Makes the memory in which a number of threads count. Gauges begin with nothing to tell. */
export function createMetricMemory(threads: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(threads * THREAD_BYTES);
  for (const [name, metric] of Object.entries<Metric>(METRICS)) {
    const { start, series } = placeOf(name);
    for (let thread = 0; metric.kind === "gauge" && thread < threads; thread++) {
      cellsOf(memory, thread).fill(Number.NaN, start, start + series.size);
    }
  }
  return memory;
}

/** How many threads count in a memory. */
export function threadsIn(memory: SharedArrayBuffer): number {
  return memory.byteLength / THREAD_BYTES;
}

/**
 * The counts of one thread in shared memory. Each cell is written by one thread alone, without a message or an allocation;
 * any other may read it at any time: Node runs on 64-bit machines, where a number of 8 bytes is never seen half-written.
 * A thread that takes the place of one that died goes on with its counts.
 */
export class MetricCells {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#cells = cellsOf(memory, thread);
  }

  /** The cell of one series, to be kept by whoever counts often. Throws where the metric has no such series. */
  at(name: MetricName, labels: Labels = {}): Cell {
    const cells = this.#cells;
    const index = this.#index(name, labels);
    return {
      add: (count = 1) => {
        cells[index] = (cells[index] ?? 0) + count;
      },
      set: (value) => {
        cells[index] = value;
      },
    };
  }

  histogram(name: MetricName, labels: Labels = {}): Histogram {
    const cells = this.#cells;
    const first = this.#index(name, labels);
    const metric: Metric = METRICS[name];
    const bounds = metric.bounds ?? [];
    const sum = first + bounds.length + 1;
    return {
      observe: (seconds) => {
        let bucket = 0;
        while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
        cells[first + bucket] = (cells[first + bucket] ?? 0) + 1;
        cells[sum] = (cells[sum] ?? 0) + seconds;
      },
    };
  }

  /** The cells of the series with that number; a copy. */
  read(name: MetricName, series: number): readonly number[] {
    const { start, width } = placeOf(name);
    return [...this.#cells.subarray(start + series * width, start + (series + 1) * width)];
  }

  #index(name: MetricName, labels: Labels): number {
    const { start, width, series } = placeOf(name);
    const index = series.get(seriesKey(labels));
    if (index === undefined) throw new Error(`${name} has no series ${JSON.stringify(labels)}`);
    return start + index * width;
  }
}

function cellsOf(memory: SharedArrayBuffer, thread: number): Float64Array {
  return new Float64Array(memory, thread * THREAD_BYTES, length);
}

function placeOf(name: string): Place {
  const place = PLACES.get(name);
  if (place === undefined) throw new Error(`there is no metric ${name}`);
  return place;
}

function seriesKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
