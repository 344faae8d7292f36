import type { Reason } from "../check/reason.ts";
import type { Log } from "../observe/log.ts";
import type { Actor } from "../store/audit.ts";
import type { DenialSummary, Denials } from "../store/denials.ts";
import type { KeyTally } from "./batch.ts";

/** Who notes denials down, in the audit trail. */
const CHECKS: Actor = { name: "checks", source: "local" };

/** Of one key and one reason the audit trail gets one event in so long, however many requests were refused. */
export const SUMMARY_INTERVAL_MS = 10 * 60 * 1000;

/** More events than this at once tell nobody more; the denials of further keys are added up. */
const MAX_SUMMARIES = 1_000;

/** Counts the denials of known keys for the audit trail. */
export interface DenialSummaries {
  note(tallies: Iterable<Pick<KeyTally, "keyId" | "denials" | "lastDeniedAtMs" | "lastDeniedIp">>, nowMs: number): void;
  /** Notes down what was counted since the last time. Where the store cannot take it, it is kept. */
  flush(nowMs: number): void;
}

/** Memory is bounded by `maxSummaries`, not by what clients send. */
export function createDenialSummaries(store: Denials, log: Log, maxSummaries: number = MAX_SUMMARIES): DenialSummaries {
  const summaries = new Map<string, DenialSummary>();
  let others = 0;

  const add = (keyId: string, reason: Reason, count: number, atMs: number, lastIp: string | undefined) => {
    const name = `${keyId} ${reason}`;
    const before = summaries.get(name);
    if (before === undefined && summaries.size >= maxSummaries) {
      others += count;
      return;
    }
    const { count: counted = 0, fromMs = atMs } = before ?? {};
    summaries.set(name, { keyId, reason, count: counted + count, fromMs, toMs: atMs, lastIp });
  };

  return {
    note(tallies, nowMs) {
      for (const { keyId, denials, lastDeniedAtMs, lastDeniedIp } of tallies) {
        for (const [reason, count] of denials) add(keyId, reason, count, lastDeniedAtMs || nowMs, lastDeniedIp);
      }
    },
    flush(nowMs) {
      if (summaries.size === 0 && others === 0) return;
      try {
        store.recordDenials([...summaries.values()], others, CHECKS, nowMs);
        summaries.clear();
        others = 0;
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        log("warn", "denials could not be noted down in the audit trail; it is tried again", { cause });
      }
    },
  };
}
