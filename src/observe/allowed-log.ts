import type { CheckContext } from "../check/context.ts";
import type { Decision } from "../check/decide.ts";
import type { Settings } from "../config/settings.ts";
import { createOutbox, type Outbox } from "./outbox.ts";

/** What a log line tells of an allowed check. */
export interface AllowedLine {
  readonly atMs: number;
  readonly decisionId: string;
  /** Undefined on a public route. */
  readonly keyId: string | undefined;
  readonly route: string;
}

/** Collects lines for allowed checks, and hands them over in batches. */
export interface AllowedLog extends Omit<Outbox<AllowedLine>, "put"> {
  /** Tells of these allowed checks from now on. */
  select(which: Settings["log"]["allowed"]): void;
  note(decision: Decision, context: CheckContext): void;
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
  const { put, ...outbox } = createOutbox(MAX_WAITING, send, lost);
  let second = 0;
  let samples = 0;
  let selected = which;

  const isSampled = (nowMs: number): boolean => {
    const now = Math.floor(nowMs / 1000);
    if (now !== second) samples = 0;
    second = now;
    return ++samples <= SAMPLES_PER_SECOND;
  };

  return {
    ...outbox,
    select(which) {
      selected = which;
    },
    note(decision, { nowMs: atMs, decisionId }) {
      if (selected === "none" || !decision.allowed || (selected === "sampled" && !isSampled(atMs))) return;
      put({ atMs, decisionId, keyId: decision.record?.id, route: decision.rule.route });
    },
  };
}
