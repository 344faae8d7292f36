import type { Log } from "../observe/log.ts";
import { announce, type Board } from "../serve/threads/board.ts";
import type { QuietKeys } from "../store/quiet-keys.ts";

/** How often it is looked whether a rotated key has fallen silent. Short beside any quiet period that makes sense. */
export const QUIET_CHECK_INTERVAL_MS = 5_000;

/** Ends rotated keys that nobody uses any more, on the writer thread. */
export interface QuietEnding {
  tick(nowMs: number): void;
}

/**
 * Only what every check thread has told counts as known: while one of them could not tell, or has died, no key is quiet.
 * Without check threads nothing is known, and nothing ends.
 */
export function createQuietEnding(store: QuietKeys, board: Board, log: Log): QuietEnding {
  let trouble: string | undefined;
  return {
    tick(nowMs) {
      if (board.usageKnownUntil.length === 0) return;
      const knownUntilMs = Math.min(
        nowMs,
        ...Array.from(board.usageKnownUntil, (_, thread) => knownUntil(board, thread)),
      );
      try {
        const ended = store.endQuietKeys(knownUntilMs, nowMs);
        trouble = undefined;
        if (ended.length > 0) announce(board);
        for (const id of ended) log("info", "a rotated key has fallen silent and is revoked", { key_id: id });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== trouble) log("warn", `rotated keys that have fallen silent cannot be revoked: ${message}`);
        trouble = message;
      }
    },
  };
}

function knownUntil(board: Board, thread: number): number {
  return Number(Atomics.load(board.usageKnownUntil, thread));
}
