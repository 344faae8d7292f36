import type { Settings } from "../config/settings.ts";
import type { ForeignKeys, KeyRecord } from "../key/record.ts";
import type { Log } from "../observe/log.ts";
import { createKeyCache, type KeyCache } from "../store/cache.ts";
import { createFollower, type Follower } from "../store/follow.ts";
import { type KeyReader, openKeyReader } from "../store/reader.ts";
import { StoreRefusedError } from "../store/refusal.ts";
import type { ServedStore } from "./served-store.ts";
import type { Board } from "./threads/board.ts";

/**
 * How often a thread asks whether another process has committed. Half of the 100 ms within which such a change is obeyed;
 * one question is a read of shared memory, about 1 µs.
 */
const POLL_INTERVAL_MS = 50;

/** How often a thread looks whether the path of the store still leads to the file it has opened. */
const FILE_CHECK_INTERVAL_MS = 1_000;

/**
 * How long records are still served that nobody can tell to be up to date. Long enough for a disk that hangs or a restart
 * of the other program, short enough to be said: this is the longest a key opens that was revoked meanwhile.
 */
const SERVE_STALE_FOR_MS = 30_000;

/** What a followed store tells the thread it belongs to. */
export interface FollowedStoreEvents {
  /** So many changes of this process (the board's `head`) are obeyed, and all of the store up to the revision. */
  onApplied(change: bigint, revision: number): void;
  /** Nothing is held any more that a change could make stale. */
  onClosed(): void;
  /** Whether the store can answer, each time that changes. At first it cannot. */
  onServing(serving: boolean): void;
  readonly log: Log;
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
): ServedStore {
  let store: OpenStore | undefined;
  let replaced: KeyReader | undefined;
  let draining = false;
  let serving = false;
  let trouble: string | undefined;
  let foreign: ForeignKeys = "none";
  let upToDateMs = performance.now();

  const tellServing = (now: boolean) => {
    if (now !== serving) events.onServing(now);
    serving = now;
  };

  const open = (): OpenStore => {
    if (replaced?.hasLeftLog()) throw new Error(leftLog(settings.database));
    const reader = openKeyReader(settings.database);
    replaced?.close();
    replaced = undefined;
    const cache = createKeyCache(reader, settings.cache);
    return { reader, cache, follower: createFollower(reader, cache) };
  };

  const close = () => {
    store?.reader.close();
    store = undefined;
    events.onClosed();
  };

  /** Runs one way of catching up, and tells what came of it. */
  const catchUp = (how: "poll" | "follow") => {
    try {
      // Read first: whatever is committed later is met again.
      const change = Atomics.load(board.head, 0);
      store ??= open();
      events.onApplied(change, store.follower[how]());
      if (trouble !== undefined) events.log("info", "the key store answers again");
      trouble = undefined;
      upToDateMs = performance.now();
      tellServing(!draining);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) events.log("error", `the key store is not ready: ${message}`);
      trouble = message;
      tellServing(false);
      // A file that is refused will be refused in a moment, too; what it holds is no longer ours to read.
      if (error instanceof StoreRefusedError || performance.now() - upToDateMs > SERVE_STALE_FOR_MS) close();
    }
  };

  const checkFile = () => {
    if (!store?.reader.isReplaced()) return;
    events.log("error", "the database file has been replaced or removed; its keys are read anew");
    // Open until the next one is: the log that it has left can be told from another's only for so long.
    replaced = store.reader;
    store = undefined;
    events.onClosed();
    catchUp("follow");
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
      setInterval(checkFile, FILE_CHECK_INTERVAL_MS).unref();
    },
    drain() {
      draining = true;
      tellServing(false);
    },
    cacheCounts: () => store?.cache.counters ?? { hits: 0, unknownHits: 0, misses: 0 },
    foreignKeys() {
      // A store that is closed for a while still has them: they are unavailable, and not malformed.
      foreign = store?.cache.foreignKeys() ?? foreign;
      return foreign;
    },
    find(digest): KeyRecord | undefined {
      if (store === undefined) throw new Error(trouble ?? "the key store is not open yet");
      return store.cache.find(digest);
    },
  };
}

function leftLog(database: string): string {
  return `database ${database}: the log beside it belongs to the file that was there before; the side that serves the admin API removes it, or remove ${database}-wal and ${database}-shm`;
}
