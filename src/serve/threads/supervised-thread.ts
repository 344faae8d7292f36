import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../config/address.ts";
import type { Log } from "../../observe/log.ts";
import { within } from "../within.ts";
import type { ThreadOrder } from "./thread-messages.ts";
import type { ThreadHandle } from "./worker.ts";

/** The pause before a dead thread is replaced: short for a single accident, longer each time it dies young. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** A thread that has lived this long did not die of how it was started. */
const SETTLED_AFTER_MS = 30_000;

/** So many deaths in a row, each soon after the start, are no accident: what follows would be the same. Some three seconds. */
const MOST_YOUNG_DEATHS = 6;

/** A thread that is replaced when it dies. */
export interface SupervisedThread {
  readonly addresses: Readonly<Record<string, Address>>;
  /** Whether it runs and listens, and is not being replaced. */
  readonly alive: boolean;
  /** How often it was replaced. */
  readonly restarts: number;
  drain(): void;
  /** Tells the thread that runs at the moment; where none does, nobody hears it. */
  order(order: ThreadOrder): void;
  /**
   * Lets it finish, and give up what has not ended after `graceMs`; past the deadline of `performance.now()` it is ended
   * where it stands. Returns whether everything had finished.
   */
  stop(graceMs: number, deadlineMs: number): Promise<boolean>;
}

/** What supervision needs of the one who asks for it. */
export interface Supervision {
  /** Names the thread in the log. */
  readonly name: string;
  start(): ThreadHandle;
  /** Called when the thread has died, before it is replaced. */
  onDeath(): void;
  /** Called when another has taken over. */
  onReplaced?(): void;
  /** Called with a sentence when it has died young too often, and is not replaced any more. Left out: it is replaced for ever. */
  onGivenUp?(why: string): void;
  readonly log: Log;
}

/** Starts a thread and waits until it listens; from then on it is replaced when it dies. Rejects if the first cannot start. */
export async function superviseThread({
  name,
  start,
  onDeath,
  onReplaced,
  onGivenUp,
  log,
}: Supervision): Promise<SupervisedThread> {
  let thread = start();
  let addresses: Readonly<Record<string, Address>>;
  try {
    addresses = await thread.listening;
  } catch (error) {
    await thread.terminate();
    throw error;
  }
  let restarts = 0;
  let alive = true;
  let stopping = false;
  let draining = false;

  const replaceWhenDead = async () => {
    let pauseMs = FIRST_PAUSE_MS;
    let youngDeaths = 0;
    while (!stopping) {
      const startedAt = performance.now();
      const cause = await thread.ended;
      if (stopping) return;
      alive = false;
      onDeath();
      const isSettled = performance.now() - startedAt > SETTLED_AFTER_MS;
      if (isSettled) pauseMs = FIRST_PAUSE_MS;
      youngDeaths = isSettled ? 1 : youngDeaths + 1;
      if (onGivenUp !== undefined && youngDeaths === MOST_YOUNG_DEATHS) {
        const why = `the ${name} thread died ${youngDeaths} times in a row within ${SETTLED_AFTER_MS / 1000} s of its start`;
        log("error", why, { cause: cause?.stack ?? "unknown" });
        return onGivenUp(why);
      }
      log("error", `the ${name} thread died; a new one starts in ${pauseMs} ms`, { cause: cause?.stack ?? "unknown" });
      await delay(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (stopping) return;
      restarts++;
      thread = start();
      if (draining) thread.order({ kind: "drain" });
      await thread.listening.then(
        () => {
          alive = true;
          log("info", `a new ${name} thread has taken over`);
          onReplaced?.();
        },
        async (error: Error) => {
          log("error", `the new ${name} thread cannot start: ${error.message}`);
          await thread.terminate();
        },
      );
    }
  };
  void replaceWhenDead();

  return {
    addresses,
    get alive() {
      return alive;
    },
    get restarts() {
      return restarts;
    },
    drain() {
      draining = true;
      thread.order({ kind: "drain" });
    },
    order: (order) => thread.order(order),
    async stop(graceMs, deadlineMs) {
      stopping = true;
      thread.order({ kind: "stop", graceMs });
      const finished = await within(
        deadlineMs,
        thread.ended.then((cause) => cause === undefined),
      );
      await thread.terminate();
      return finished;
    },
  };
}
