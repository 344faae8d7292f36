import { setTimeout as delay } from "node:timers/promises";

const ASK_EVERY_MS = 10;
/** Far more than anything here takes: reaching it means that it will never come. */
const GIVE_UP_AFTER_MS = 20_000;

/**
 * Asks again and again until the answer is true, and rejects with what was waited for if it never is. An error of the
 * question counts as "not yet" and is told in the end.
 */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + GIVE_UP_AFTER_MS;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      if (await ask()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(ASK_EVERY_MS);
  }
  throw new Error(`waited in vain until ${what}`, { cause });
}
