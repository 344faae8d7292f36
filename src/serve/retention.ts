import { setImmediate as othersFirst } from "node:timers/promises";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../observe/log.ts";
import type { Actor } from "../store/audit.ts";
import type { AuditTrail } from "../store/audit-trail.ts";
import type { EndedKeys } from "../store/ended-keys.ts";

/** Who purges, in the audit trail. */
const RETENTION: Actor = { name: "retention", source: "local" };

/** How often is looked for what has become too old. Retention is counted in days; a purge of the trail is an event too. */
export const RETENTION_INTERVAL_MS = 60 * 60 * 1000;

/** So much is removed in one go: a few milliseconds of work, between which admin calls are answered. */
const KEYS_A_STEP = 100;
const EVENTS_A_STEP = 500;

/** How much was removed. */
interface Removed {
  readonly keys: number;
  readonly events: number;
}

/** Removes what has been kept long enough. */
export interface Retention {
  /** Removes all of it that is too old at `nowMs`, in small steps. Never rejects: what failed is tried by the next run. */
  run(nowMs: number): Promise<Removed>;
  /** Ends a run after its present step. */
  stop(): void;
}

/** `announce` is called after each change that check threads have to follow. */
export function createRetention(
  store: AuditTrail & EndedKeys,
  { endedKeysMs, auditMs }: Settings["retention"],
  announce: () => void,
  log: Log,
): Retention {
  let stopped = false;
  let running = false;

  /** Takes steps until one has nothing to do, and lets others work between them. */
  const all = async (step: () => number): Promise<number> => {
    let total = 0;
    while (!stopped) {
      const count = step();
      if (count === 0) break;
      total += count;
      await othersFirst();
    }
    return total;
  };

  const purgeKeys = (beforeMs: number, nowMs: number): number => {
    const count = store.purgeEndedKeys(beforeMs, KEYS_A_STEP, RETENTION, nowMs);
    if (count > 0) announce();
    return count;
  };

  const purgeEvents = (beforeMs: number, nowMs: number): number => {
    const { removed, broken } = store.purgeAudit(beforeMs, EVENTS_A_STEP, RETENTION, nowMs);
    if (broken !== undefined) {
      const { seq, problem } = broken;
      log("error", "the audit trail is broken, and nothing of it is purged: keyward audit verify", { seq, problem });
    }
    return removed;
  };

  return {
    async run(nowMs) {
      if (running || stopped) return { keys: 0, events: 0 };
      running = true;
      const removed = { keys: 0, events: 0 };
      try {
        if (endedKeysMs !== undefined) removed.keys = await all(() => purgeKeys(nowMs - endedKeysMs, nowMs));
        if (auditMs !== undefined) removed.events = await all(() => purgeEvents(nowMs - auditMs, nowMs));
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        log("warn", "what is too old could not be purged; it is tried again", { cause });
      } finally {
        running = false;
      }
      if (removed.keys + removed.events > 0) log("info", "purged what was kept long enough", removed);
      return removed;
    },
    stop() {
      stopped = true;
    },
  };
}
