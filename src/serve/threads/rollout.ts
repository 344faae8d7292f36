import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../observe/log.ts";

/** Threads take over settings within milliseconds; one that takes longer is held up, as a writer is by a locked database. */
const SLOW_AFTER_MS = 5_000;

/** Follows which configuration each thread obeys, so that it can be said when a reload is in effect everywhere. */
export interface Rollout {
  /** Told by a thread, when it starts and when it was told to reload. */
  obeys(thread: string, configuration: number): void;
  /**
   * Resolves once every thread obeys that configuration, or a later one. A thread that is being replaced counts when the
   * new one has started. Logs who is behind where that takes long.
   */
  reached(configuration: number): Promise<void>;
}

/** `threads` are all there are, by their names in the log. */
export function createRollout(threads: readonly string[], log: Log, slowAfterMs = SLOW_AFTER_MS): Rollout {
  const obeyed = new Map<string, number>();
  const waiters = new Set<{ readonly configuration: number; resolve(): void }>();
  const behind = (configuration: number) => threads.filter((thread) => (obeyed.get(thread) ?? -1) < configuration);
  return {
    obeys(thread, configuration) {
      obeyed.set(thread, configuration);
      for (const waiter of waiters) if (behind(waiter.configuration).length === 0) waiter.resolve();
    },
    async reached(configuration) {
      if (behind(configuration).length === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiter = { configuration, resolve };
      waiters.add(waiter);
      const timer = new AbortController();
      delay(slowAfterMs, undefined, { signal: timer.signal, ref: false }).then(
        () =>
          log("warn", "reloading takes long; some threads still obey the settings of before", {
            threads: behind(configuration),
          }),
        () => {},
      );
      await promise;
      timer.abort();
      waiters.delete(waiter);
    },
  };
}
