import type { UsageBatch } from "./batch.ts";
import type { UsageTally } from "./tally.ts";

/** How often a check thread tells what it has seen. What a crash loses is at most this much, and what is on its way. */
export const HAND_OVER_INTERVAL_MS = 1_000;

/** How many keys one message tells of: writing it down takes a check thread about a millisecond. */
const MAX_KEYS_PER_BATCH = 1_000;

/** Brings the tally of one check thread to the writer, a batch at a time. */
export interface HandOver {
  /** Begins a round: all that has been noted up to now is sent. While one goes on, nothing happens. */
  tick(nowMs: number): void;
  /** The writer has written a batch down. */
  written(source: string, seq: number): void;
  /** Sends all that is left without waiting for anybody. */
  finish(): void;
}

/**
 * Makes the hand-over of one life of a check thread. A batch is sent once the one before was written down, so that a
 * writer that stands still gets no heap of messages: the tally grows instead, and has bounds. `settled` is told up to when
 * the writer knows all that this thread has seen.
 */
export function createHandOver(
  { thread, source }: Pick<UsageBatch, "thread" | "source">,
  tally: UsageTally,
  send: (batch: UsageBatch) => void,
  settled: (untilMs: number) => void,
): HandOver {
  let seq = 0;
  let inFlight = false;
  /** Of the round that goes on: how many keys are to be sent yet, and when it began. */
  let left = 0;
  let begunMs = 0;

  const sendNext = (keys: number) => {
    left -= keys;
    seq++;
    send({ thread, source, seq, keys: tally.take(keys) });
  };

  const goOn = () => {
    inFlight = left > 0;
    if (inFlight) sendNext(Math.min(left, MAX_KEYS_PER_BATCH));
    else settled(begunMs);
  };

  return {
    tick(nowMs) {
      if (inFlight) return;
      // What is noted meanwhile is for the next round: else a busy thread would send without a pause.
      left = tally.size;
      begunMs = nowMs;
      goOn();
    },
    written(itsSource, itsSeq) {
      if (inFlight && itsSource === source && itsSeq === seq) goOn();
    },
    finish() {
      while (tally.size > 0) sendNext(MAX_KEYS_PER_BATCH);
    },
  };
}
