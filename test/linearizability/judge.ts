import type { KeyHistory, Place, Reading, State } from "./history.ts";

/** A reading that no order of what happened explains. */
export interface Finding {
  readonly key: string;
  /**
   * stale: what it saw was over before it began. early: what it saw had not begun when it ended. back: its connection had
   * seen something newer before. never: the key was never so.
   */
  readonly kind: "stale" | "early" | "back" | "never";
  readonly reading: Reading;
  /** For how long what it saw had been over when it began, in milliseconds; 0 where it was not. */
  readonly lateMs: number;
}

/**
 * How long after the answer to a change it may still be disobeyed, in milliseconds: not at all in the process that has said
 * that it is enforced, and 100 ms in another one, which follows the database.
 */
const BOUND_MS: Readonly<Record<Place, number>> = { same: 0, other: 100 };

/**
 * Tells which readings break the promise: each sees what the key was at some moment between its beginning and its end,
 * within the bound of its place, and no connection sees a key go back. A machine that stands still makes intervals longer
 * and never a finding: all times are taken outside of the program, before a question is sent and after its answer has come.
 */
export function judge(history: KeyHistory): Finding[] {
  const findings: Finding[] = [];
  const seenBy = new Map<string, number>();
  for (const reading of history.readings) {
    const lowest = firstPossible(history.states, reading);
    const highest = lastPossible(history.states, reading);
    const floor = seenBy.get(reading.observer) ?? 0;
    const seen = indexOf(history.states, reading.answer, Math.max(lowest, floor), highest);
    if (seen !== undefined) {
      seenBy.set(reading.observer, seen);
      continue;
    }
    const kind =
      indexOf(history.states, reading.answer, lowest, highest) === undefined ? missed(history, reading) : "back";
    findings.push({ key: history.name, kind, reading, lateMs: lateMs(history.states, reading) });
  }
  return findings;
}

/** For how long what a reading saw had been over when it began: since the answer to the change that ended it for the last time. */
export function lateMs(states: readonly State[], { answer, begunMs, endedMs }: Reading): number {
  const last = states.findLastIndex((state) => state.answer === answer && state.begunMs <= endedMs);
  const next = states[last + 1];
  return last < 0 || next === undefined ? 0 : Math.max(0, begunMs - next.acknowledgedMs);
}

/** The state that the key has had for sure when the reading began. */
function firstPossible(states: readonly State[], { place, begunMs }: Reading): number {
  const isBinding = ({ acknowledgedMs, enforced }: State) =>
    acknowledgedMs + BOUND_MS[place] < begunMs && (enforced || place === "other");
  return Math.max(0, states.findLastIndex(isBinding));
}

/** The last state that the key can have had when the reading ended. */
function lastPossible(states: readonly State[], { endedMs }: Reading): number {
  return states.findLastIndex(({ begunMs }) => begunMs <= endedMs);
}

function indexOf(states: readonly State[], answer: string, lowest: number, highest: number): number | undefined {
  for (let index = lowest; index <= highest; index++) if (states[index]?.answer === answer) return index;
  return undefined;
}

function missed({ states }: KeyHistory, reading: Reading): Finding["kind"] {
  if (indexOf(states, reading.answer, 0, firstPossible(states, reading)) !== undefined) return "stale";
  return states.some(({ answer }) => answer === reading.answer) ? "early" : "never";
}
