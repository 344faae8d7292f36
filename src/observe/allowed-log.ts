import type { CheckContext } from "../check/context.ts";
import type { Decision } from "../check/decide.ts";
import type { Settings } from "../config/settings.ts";

/** What a log line tells of an allowed check. */
export interface AllowedLine {
  readonly atMs: number;
  readonly decisionId: string;
  /** Undefined on a public route. */
  readonly keyId: string | undefined;
  readonly route: string;
}

/** Collects lines for allowed checks, and hands them over in batches. */
export interface AllowedLog {
  /** Tells of these allowed checks from now on. */
  select(which: Settings["log"]["allowed"]): void;
  note(decision: Decision, context: CheckContext): void;
  /** Hands over what there is, unless the last batch is still being read. */
  tick(): void;
  /** The last batch was read. */
  taken(): void;
  /** Hands over what there is, whoever reads it. */
  finish(): void;
}

/** How often lines are handed over. */
export const ALLOWED_LOG_INTERVAL_MS = 50;

/** So many lines may wait; with the interval, 100,000 a second: more than a check thread answers. Some hundred KB. */
const MAX_WAITING = 5_000;

/** `sampled`: as many lines a second tell who comes and goes; denials have as many. */
const SAMPLES_PER_SECOND = 10;

/**
 * Makes the log of allowed checks of one check thread. A check costs one entry of a list that is bounded, and no message.
 * `lost` is told of every line for which there was no room; what `sampled` leaves out is not lost.
 */
export function createAllowedLog(
  which: Settings["log"]["allowed"],
  send: (lines: readonly AllowedLine[]) => void,
  lost: () => void,
): AllowedLog {
  let lines: AllowedLine[] = [];
  let inFlight = false;
  let second = 0;
  let samples = 0;
  let selected = which;

  const isSampled = (nowMs: number): boolean => {
    const now = Math.floor(nowMs / 1000);
    if (now !== second) samples = 0;
    second = now;
    return ++samples <= SAMPLES_PER_SECOND;
  };
  const handOver = () => {
    if (lines.length === 0) return;
    inFlight = true;
    send(lines);
    lines = [];
  };

  return {
    select(which) {
      selected = which;
    },
    note(decision, { nowMs: atMs, decisionId }) {
      if (selected === "none" || !decision.allowed || (selected === "sampled" && !isSampled(atMs))) return;
      if (lines.length >= MAX_WAITING) return lost();
      lines.push({ atMs, decisionId, keyId: decision.record?.id, route: decision.rule.route });
    },
    tick() {
      if (!inFlight) handOver();
    },
    taken() {
      inFlight = false;
    },
    finish: handOver,
  };
}
