import type { KeyHistory, Place, State } from "./history.ts";
import { lateMs } from "./judge.ts";

/** How soon endings of keys were seen in one place, over many histories. Times are milliseconds. */
export interface Delays {
  /** For each key that was ended: from the answer to that until the answer to the first check that was refused. */
  readonly refusedMs: number[];
  /** By how much the latest allow began after the answer to the change that forbade it; 0 where none did. */
  latestAllowMs: number;
}

/** Adds what one history shows. A refusal that came before the change was answered counts below 0. */
export function addDelays(delays: Delays, place: Place, { states, readings }: KeyHistory): void {
  const here = readings.filter((reading) => reading.place === place);
  for (const ending of endings(states)) {
    const first = here.find(({ answer, endedMs }) => answer === ending.answer && endedMs >= ending.begunMs);
    if (first !== undefined) delays.refusedMs.push(first.endedMs - ending.acknowledgedMs);
  }
  for (const reading of here) {
    if (!isAllow(reading.answer)) continue;
    delays.latestAllowMs = Math.max(delays.latestAllowMs, lateMs(states, reading));
  }
}

/** The changes that were answered, and after which a key does not open that has opened before. */
function endings(states: readonly State[]): State[] {
  return states.filter(({ answer, acknowledgedMs }, index) => {
    const before = states[index - 1];
    return before !== undefined && isAllow(before.answer) && !isAllow(answer) && Number.isFinite(acknowledgedMs);
  });
}

function isAllow(answer: string): boolean {
  return answer.startsWith("allowed");
}

/** The upper ends of the histogram's rows. The last one before the promised 100 ms shows how near they came. */
const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100];

/** The histogram, as rows of words and a count. */
export function histogram(refusedMs: readonly number[]): [string, number][] {
  const between = (low: number, high: number) => refusedMs.filter((ms) => ms > low && ms <= high).length;
  return [
    ["before the change was answered", between(Number.NEGATIVE_INFINITY, 0)],
    ...BOUNDS_MS.map((high, index): [string, number] => {
      return [`up to ${high} ms after`, between(BOUNDS_MS[index - 1] ?? 0, high)];
    }),
    ["later", between(BOUNDS_MS.at(-1) ?? 0, Number.POSITIVE_INFINITY)],
  ];
}
