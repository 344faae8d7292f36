import type { Log } from "../observe/log.ts";
import type { Recorded, Usage } from "../store/usage.ts";
import type { UsageBatch } from "./batch.ts";

/** Writes batches down on the writer thread, and goes on trying where the store cannot take them. */
export interface UsageRecorder {
  take(batch: UsageBatch): void;
  /** Tries again what could not be written down. Returns whether nothing is left. */
  retry(): boolean;
}

/** `written` is told of each batch that is safe, and `recorded` of what came of it. */
export function createUsageRecorder(
  store: Pick<Usage, "recordUsage">,
  nowMs: () => number,
  written: (batch: UsageBatch) => void,
  recorded: (recorded: readonly Recorded[], nowMs: number) => void,
  log: Log,
): UsageRecorder {
  /** One of each source: the next comes once this one is written down. */
  const waiting = new Map<string, UsageBatch>();
  let trouble: string | undefined;

  const write = (batch: UsageBatch): boolean => {
    try {
      const now = nowMs();
      const result = store.recordUsage(batch, now);
      written(batch);
      if (trouble !== undefined) log("info", "how keys are used is written down again");
      trouble = undefined;
      if (result !== undefined) recorded(result, now);
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) {
        log("warn", `how keys are used cannot be written down; it is kept and tried again: ${message}`);
      }
      trouble = message;
      return false;
    }
  };

  return {
    take(batch) {
      if (!write(batch)) waiting.set(batch.source, batch);
    },
    retry() {
      for (const [source, batch] of waiting) {
        if (!write(batch)) return false;
        waiting.delete(source);
      }
      return true;
    },
  };
}
