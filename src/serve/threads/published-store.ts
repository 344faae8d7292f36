import type { Settings } from "../../config/settings.ts";
import type { FollowedStoreEvents } from "../followed-store.ts";
import { createServedStore, type ServedStore } from "../served-store.ts";
import { type Board, NOT_FOLLOWING, publish } from "./board.ts";

/** What only the thread itself is told. */
export type PublishedStoreEvents = Pick<FollowedStoreEvents, "onServing" | "onUnread" | "onLookUp" | "log">;

/**
 * The store of a check thread, which tells on the board how far it follows. It lasts longer than a configuration: how stale it
 * may be is asked of `current` each time.
 */
export function createPublishedStore(
  current: () => Settings,
  board: Board,
  thread: number,
  events: PublishedStoreEvents,
): ServedStore {
  const settings = {
    ...current(),
    get stale() {
      return current().stale;
    },
  };
  return createServedStore(settings, board, {
    ...events,
    onApplied(change, revision) {
      Atomics.store(board.revisions, thread, BigInt(revision));
      publish(board.applied, thread, change);
    },
    onClosed() {
      Atomics.store(board.revisions, thread, NOT_FOLLOWING);
      publish(board.applied, thread, NOT_FOLLOWING);
    },
    onStale(sinceMs) {
      const since = sinceMs === undefined ? 0n : process.hrtime.bigint() - BigInt(Math.round(sinceMs * 1e6));
      Atomics.store(board.staleSince, thread, since);
    },
    onServing(serving) {
      Atomics.store(board.serving, thread, serving ? 1 : 0);
      events.onServing(serving);
    },
  });
}
