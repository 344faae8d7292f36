import type { Settings } from "../config/settings.ts";
import type { ForeignKeys, KeyRecord } from "../key/record.ts";
import type { Log } from "../observe/log.ts";
import { createKeyCache, type KeyCache, NO_COUNTS, NO_SIZES } from "../store/cache.ts";
import { isPresent } from "../store/file.ts";
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
 * A check that comes later than this after the last question asks first: timers are late where the thread stood still or many
 * requests are waiting, and a key that another process has revoked meanwhile must not open.
 */
const LONGEST_UNASKED_MS = 2 * POLL_INTERVAL_MS;

/** How long a handle that fails is tried again before another one is opened beside it. */
const REOPEN_AFTER_MS = 5_000;

/** Opening reads all keys, and no check is answered meanwhile: it takes at most one part in so many of the time. */
const REOPEN_SHARE = 20;

/** What a followed store tells the thread it belongs to. */
export interface FollowedStoreEvents {
  /** So many changes of this process (the board's `head`) are obeyed, and all of the store up to the revision. */
  onApplied(change: bigint, revision: number): void;
  /** Nothing is held any more that a change could make stale. */
  onClosed(): void;
  /** Since how many milliseconds what is known is not up to date, when that begins; undefined when it is again. */
  onStale(sinceMs: number | undefined): void;
  /** Whether the store can answer, each time that changes. At first it cannot. */
  onServing(serving: boolean): void;
  /** A file was opened that has to be read through yet (`KeyReader.unreadFile`). */
  onUnread(file: string): void;
  /** A look-up in the database took so long. */
  onLookUp(milliseconds: number): void;
  readonly log: Log;
}

const LOST_LOG =
  "the log beside the database was removed; the side that serves the admin API brings what stood in it into the file";

const NOT_OPEN = "the key store is not open yet";

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
  settings: Pick<Settings, "database" | "cache" | "stale">,
  board: Board,
  events: FollowedStoreEvents,
): ServedStore {
  let store: OpenStore | undefined;
  let replaced: KeyReader | undefined;
  let lostLog = false;
  let draining = false;
  let serving = false;
  let trouble: string | undefined;
  let foreign: ForeignKeys = "none";
  let upToDateMs = performance.now();
  let askedMs = upToDateMs;
  let nextOpeningMs = 0;

  const tellServing = (now: boolean) => {
    if (now !== serving) events.onServing(now);
    serving = now;
  };

  const staleMs = () => (trouble === undefined ? 0 : performance.now() - upToDateMs);

  const timed = (reader: KeyReader, digest: string) => {
    const startedAt = performance.now();
    try {
      return reader.findAt(digest);
    } finally {
      events.onLookUp(performance.now() - startedAt);
    }
  };

  const open = (): OpenStore => {
    const startedMs = performance.now();
    try {
      if (replaced?.hasLeftLog()) throw new Error(leftLog(settings.database));
      if (isPresent(settings.database)) {
        // Nothing is left to be told by it, and an index that was removed would be joined by the next.
        replaced?.close();
        replaced = undefined;
      }
      const reader = openKeyReader(settings.database, { mayReadLater: true });
      if (reader.unreadFile !== undefined) events.onUnread(reader.unreadFile);
      try {
        const cache = createKeyCache({ ...reader, findAt: (digest) => timed(reader, digest) }, settings.cache);
        return { reader, cache, follower: createFollower(reader, cache) };
      } catch (error) {
        reader.close();
        throw error;
      }
    } finally {
      const endedMs = performance.now();
      nextOpeningMs =
        endedMs + Math.max((endedMs - startedMs) * REOPEN_SHARE, store === undefined ? 0 : REOPEN_AFTER_MS);
    }
  };

  const close = () => {
    store?.reader.close();
    store = undefined;
    events.onClosed();
  };

  /** The store to ask: the one that is open, or another one beside it where that has been failing for a while. */
  const current = (): OpenStore => {
    const mayOpen = performance.now() >= nextOpeningMs;
    if (store === undefined) {
      if (mayOpen) return open();
      throw new Error(trouble ?? NOT_OPEN);
    }
    if (!mayOpen || lostLog || staleMs() < REOPEN_AFTER_MS) return store;
    let next: OpenStore;
    try {
      next = open();
    } catch {
      // What is open goes on being served for as long as it may.
      return store;
    }
    store.reader.close();
    return next;
  };

  /** Runs one way of catching up, and tells what came of it. */
  const catchUp = (how: "poll" | "follow") => {
    askedMs = performance.now();
    try {
      // Read first: whatever is committed later is met again.
      const change = Atomics.load(board.head, 0);
      store = current();
      if (lostLog) throw new Error(LOST_LOG);
      events.onApplied(change, store.follower[how]());
      if (trouble !== undefined) {
        events.log("info", "the key store answers again", { stale_ms: Math.round(staleMs()) });
        events.onStale(undefined);
      }
      trouble = undefined;
      upToDateMs = performance.now();
      tellServing(!draining);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) events.log("error", `the key store is not ready: ${message}`);
      if (trouble === undefined) events.onStale(performance.now() - upToDateMs);
      trouble = message;
      // A file that is refused will be refused in a moment, too; what it holds is no longer ours to read.
      if (error instanceof StoreRefusedError) close();
      tellServing(store !== undefined && !draining && staleMs() <= settings.stale.serveForMs);
    }
  };

  const askWhereOverdue = () => {
    if (store !== undefined && performance.now() - askedMs > LONGEST_UNASKED_MS) catchUp("poll");
  };

  const checkFile = () => {
    // What stands in a log that was removed is still known here; who opens the file would not know it, nor revocations in it.
    lostLog = store?.reader.hasLostLog() ?? false;
    if (!store?.reader.isReplaced()) return;
    events.log("error", "the database file or its log has been replaced or removed; its keys are read anew");
    // Open until a file is there: the log that it has left can be told from another's only for so long.
    replaced = store.reader;
    store = undefined;
    events.onClosed();
    catchUp("follow");
  };

  const hearChanges = async () => {
    for (let seen = Atomics.load(board.head, 0); ; seen = Atomics.load(board.head, 0)) {
      // A new writer has perhaps begun another log: nothing of this change would be found in ours.
      checkFile();
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
    cacheCounts: () => store?.cache.counters ?? NO_COUNTS,
    cacheSizes: () => store?.cache.sizes() ?? NO_SIZES,
    foreignKeys() {
      // A store that is closed for a while still has them: they are unavailable, and not malformed.
      foreign = store?.cache.foreignKeys() ?? foreign;
      return foreign;
    },
    staleMs() {
      askWhereOverdue();
      return staleMs();
    },
    find(digest): KeyRecord | undefined {
      askWhereOverdue();
      if (store === undefined) throw new Error(trouble ?? NOT_OPEN);
      return store.cache.find(digest);
    },
  };
}

function leftLog(database: string): string {
  return `database ${database}: the log beside it belongs to the file that was there before; the side that serves the admin API removes it, or remove ${database}-wal and ${database}-shm`;
}
