import type { UsageBatch } from "./batch.ts";

/** Passes batches from check threads to the writer, and keeps each until it was written down, whoever dies meanwhile. */
export interface UsageRelay {
  /** From a check thread. */
  take(batch: UsageBatch): void;
  /** From the writer: it has written a batch down. */
  written(source: string, seq: number): void;
  /** A new writer knows nothing of what was sent to the one before. */
  resend(): void;
  /** Resolves once nothing waits to be written down. */
  settled(): Promise<void>;
  /** How many uses were given up because too many batches waited. */
  readonly lostUses: number;
}

/**
 * A living check thread has one batch here. Only threads that died, or have sent their last, leave more: 64 threads with
 * all that they may hold are 6,400.
 */
const MAX_WAITING = 10_000;

/** Makes the relay of main. The writer is sent one batch of each source at a time. */
export function createUsageRelay(
  toWriter: (batch: UsageBatch) => void,
  toCheck: (thread: number, source: string, seq: number) => void,
  maxWaiting: number = MAX_WAITING,
): UsageRelay {
  const queues = new Map<string, UsageBatch[]>();
  let waiting = 0;
  let lostUses = 0;
  let whenSettled: (() => void)[] = [];

  return {
    take(batch) {
      const { thread, source, seq, keys } = batch;
      if (waiting >= maxWaiting) {
        lostUses += keys.reduce((sum, { uses }) => sum + uses, 0);
        toCheck(thread, source, seq);
        return;
      }
      const queue = queues.get(source) ?? [];
      queues.set(source, queue);
      queue.push(batch);
      waiting++;
      if (queue.length === 1) toWriter(batch);
    },
    written(source, seq) {
      const queue = queues.get(source);
      const [head] = queue ?? [];
      // A batch that was sent again is answered twice.
      if (queue === undefined || head?.seq !== seq) return;
      queue.shift();
      waiting--;
      toCheck(head.thread, source, seq);
      const [next] = queue;
      if (next !== undefined) return toWriter(next);
      queues.delete(source);
      if (waiting > 0) return;
      for (const resolve of whenSettled) resolve();
      whenSettled = [];
    },
    resend() {
      for (const [head] of queues.values()) if (head !== undefined) toWriter(head);
    },
    settled() {
      if (waiting === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      whenSettled.push(resolve);
      return promise;
    },
    get lostUses() {
      return lostUses;
    },
  };
}
