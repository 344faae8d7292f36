import type { Settings } from "../config/settings.ts";
import type { KeyStore } from "../key/record.ts";
import { type KeyCache, NO_COUNTS, NO_SIZES } from "../store/cache.ts";
import { createSingleKeyStore } from "../store/single-key.ts";
import { createFollowedStore, type FollowedStoreEvents } from "./followed-store.ts";
import type { Board } from "./threads/board.ts";

/** The store of a check thread, which says by itself whether it can answer. */
export interface ServedStore extends KeyStore {
  /** Opens the store, and goes on trying where it is not there yet. */
  start(): void;
  /** Says for good that it does not serve, while it goes on answering and following. */
  drain(): void;
  /** How often the cache could answer by itself. */
  cacheCounts(): KeyCache["counters"];
  cacheSizes(): ReturnType<KeyCache["sizes"]>;
}

/** The store that the settings ask for: that of the database, or the one key in memory. */
export function createServedStore(
  settings: Pick<Settings, "database" | "cache" | "singleKey" | "stale">,
  board: Board,
  events: FollowedStoreEvents,
): ServedStore {
  const { singleKey } = settings;
  if (singleKey === undefined) return createFollowedStore(settings, board, events);
  if (singleKey.digest === undefined) throw new Error("the single key was not drawn before a thread was started");
  return {
    ...createSingleKeyStore(singleKey.digest),
    start: () => events.onServing(true),
    drain: () => events.onServing(false),
    // There is nothing slower behind it for which a cache could answer.
    cacheCounts: () => NO_COUNTS,
    cacheSizes: () => NO_SIZES,
  };
}
