import type { Settings } from "../config/settings.ts";
import type { KeyRecord, KeyStore } from "../key/record.ts";
import type { Log } from "../observe/log.ts";
import { createKeyCache, type KeyCache } from "../store/cache.ts";
import { createFollower, type Follower } from "../store/follow.ts";
import { type KeyReader, openKeyReader } from "../store/reader.ts";
import type { Board } from "./board.ts";

/**
 * How often a thread asks whether another process has committed. Half of the 100 ms within which such a change is obeyed;
 * one question is a read of shared memory, about 1 µs.
 */
const POLL_INTERVAL_MS = 50;

/** What a followed store tells the thread it belongs to. */
export interface FollowedStoreEvents {
  /** Every change up to the revision is obeyed; undefined: nothing is held that a change could make stale. */
  onApplied(revision: number | undefined): void;
  /** Whether the store can answer, each time that changes. At first it cannot. */
  onServing(serving: boolean): void;
  readonly log: Log;
}

/** A store that keeps itself open and its cache up to date. */
export interface FollowedStore extends KeyStore {
  /** Opens the store, and goes on trying where it is not there yet. */
  start(): void;
  /** Says for good that it does not serve, while it goes on answering and following. */
  drain(): void;
  /** How often the cache could answer by itself. */
  cacheCounts(): KeyCache["counters"];
}

interface OpenStore {
  readonly reader: KeyReader;
  readonly cache: KeyCache;
  readonly follower: Follower;
}

/**
 * The store of one check thread: a reader, a cache before it, and a follower that drops what has changed. Changes of this
 * process are heard at once from the board, those of other processes by polling. Where the store is not ready, `find`
 * throws: that is never "no such key".
 */
export function createFollowedStore(
  settings: Pick<Settings, "database" | "cache">,
  board: Board,
  events: FollowedStoreEvents,
): FollowedStore {
  let store: OpenStore | undefined;
  let draining = false;
  let serving = false;
  let trouble: string | undefined;

  const tellServing = (now: boolean) => {
    if (now !== serving) events.onServing(now);
    serving = now;
  };

  const open = (): OpenStore => {
    const reader = openKeyReader(settings.database);
    const cache = createKeyCache(reader, settings.cache);
    return { reader, cache, follower: createFollower(reader, cache) };
  };

  /** Runs one way of catching up, and tells what came of it. */
  const catchUp = (how: "poll" | "follow") => {
    try {
      store ??= open();
      events.onApplied(store.follower[how]());
      if (trouble !== undefined) events.log("info", "the key store answers again");
      trouble = undefined;
      tellServing(!draining);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) events.log("error", `the key store is not ready: ${message}`);
      trouble = message;
      tellServing(false);
    }
  };

  const hearChanges = async () => {
    for (let seen = Atomics.load(board.head, 0); ; seen = Atomics.load(board.head, 0)) {
      catchUp("follow");
      await Atomics.waitAsync(board.head, 0, seen).value;
    }
  };

  return {
    start() {
      void hearChanges();
      setInterval(() => catchUp("poll"), POLL_INTERVAL_MS).unref();
    },
    drain() {
      draining = true;
      tellServing(false);
    },
    cacheCounts: () => store?.cache.counters ?? { hits: 0, unknownHits: 0, misses: 0 },
    find(digest): KeyRecord | undefined {
      if (store === undefined) throw new Error(trouble ?? "the key store is not open yet");
      return store.cache.find(digest);
    },
  };
}
