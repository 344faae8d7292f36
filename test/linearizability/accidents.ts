import { setTimeout as delay } from "node:timers/promises";
import type { Keyward } from "../support/keyward.ts";

/**
 * Between two accidents. Each of the two or three threads of a process then lives for more than 30 s: one that dies younger
 * is replaced after a longer pause each time, and six times in a row end the process.
 */
const PAUSE_MS = 4_500;

/** Longer than the 100 ms within which the other process obeys, so that it wakes up far behind. */
const FREEZE_MS = 500;

/**
 * Lets accidents happen until it is told to stop: a thread of either process dies (they were started with
 * `children/mortal.ts`), or the one that follows stands still for a while. Returns how many there were.
 */
export async function causeAccidents(leader: Keyward, follower: Keyward, stopped: () => boolean): Promise<number> {
  const freeze = async () => {
    process.kill(follower.pid, "SIGSTOP");
    await delay(FREEZE_MS);
    process.kill(follower.pid, "SIGCONT");
  };
  const killThread = ({ pid }: Keyward) => process.kill(pid, "SIGUSR2");
  const accidents = [() => killThread(leader), freeze, () => killThread(follower), freeze];
  for (let count = 0; ; count++) {
    for (const until = performance.now() + PAUSE_MS; performance.now() < until; await delay(10)) {
      if (stopped()) return count;
    }
    await accidents[count % accidents.length]?.();
  }
}
