import { setTimeout as delay } from "node:timers/promises";

/** Whether some work comes to a good end before a deadline of `performance.now()`. What is too late goes on unseen. */
export async function within(deadlineMs: number, work: Promise<boolean>): Promise<boolean> {
  const timer = new AbortController();
  const tooLate = delay(Math.max(0, deadlineMs - performance.now()), false, { signal: timer.signal }).catch(
    () => false,
  );
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    timer.abort();
  }
}
