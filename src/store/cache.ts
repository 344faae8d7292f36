import { LRUCache } from "lru-cache";
import type { ForeignKeys, KeyRecord, KeyStore } from "../key/record.ts";

/** How large the cache may grow, in entries. */
export interface KeyCacheBounds {
  /** Known keys. */
  readonly maxKeys: number;
  /** Digests that no key has. */
  readonly maxUnknown: number;
}

/** How often the cache could answer by itself. Grows only. */
interface KeyCacheCounters {
  /** Answered with a cached record. */
  hits: number;
  /** Answered with a cached "no such key". */
  unknownHits: number;
  /** Asked of the store. */
  misses: number;
  /** Gone to make room for others. */
  readonly evictions: { known: number; unknown: number };
}

/** What a store has under a digest, and the store's revision at that moment: 0 before the first change. */
export interface Found {
  readonly revision: number;
  readonly record: KeyRecord | undefined;
}

/** What a cache asks. */
export interface KeySource {
  /** Throws where the store cannot tell. */
  findAt(digest: string): Found;
  /** The last revision. */
  revision(): number;
  foreignKeys?(): ForeignKeys;
}

/** A store in front of a store. It keeps records, never verdicts. */
export interface KeyCache extends KeyStore {
  readonly counters: Readonly<KeyCacheCounters>;
  /** Entries of both kinds, and the estimated bytes of the known keys. */
  sizes(): { readonly known: number; readonly unknown: number; readonly bytes: number };
  /** Forgets a digest that has changed in the revision, known or not. What was read before that is not kept any more. */
  drop(digest: string, revision: number): void;
  /** Forgets everything read before the revision. */
  clear(revision: number): void;
  foreignKeys(): ForeignKeys;
  /** Says anew which keys made elsewhere the store has. */
  setForeignKeys(foreign: ForeignKeys): void;
}

/** What a cache tells that is not there. */
export const NO_COUNTS: Readonly<KeyCacheCounters> = {
  hits: 0,
  unknownHits: 0,
  misses: 0,
  evictions: { known: 0, unknown: 0 },
};
export const NO_SIZES: ReturnType<KeyCache["sizes"]> = { known: 0, unknown: 0, bytes: 0 };

/**
 * Room per known key on average. A plain one with a few scopes and paths takes some 340 bytes of heap, or 600 where no
 * other key has the same; the bound in bytes is there for keys with long lists, which take up to 70 KB.
 */
const AVERAGE_KEY_BYTES = 1024;

/** The least room: even a cache of one key holds the largest key. */
const MIN_BYTES = 1024 * 1024;

/** Heap of an entry apart from its texts: digest, record, lists, the cache's own tables. Measured, rounded up. */
const ENTRY_BYTES = 512;

/** A set of networks is kept by Node outside the heap; a usual one takes some KiB. */
const NETWORKS_BYTES = 4096;

/** Heap of one text apart from its characters. */
const TEXT_BYTES = 24;

/**
 * Puts a cache in front of the store: least recently used goes first. Unknown digests are kept apart, so that strangers
 * who try one secret after another push out no key.
 */
export function createKeyCache(store: KeySource, { maxKeys, maxUnknown }: KeyCacheBounds): KeyCache {
  const counters: KeyCacheCounters = { hits: 0, unknownHits: 0, misses: 0, evictions: { known: 0, unknown: 0 } };
  const known = new LRUCache<string, KeyRecord>({
    max: maxKeys,
    maxSize: Math.max(maxKeys * AVERAGE_KEY_BYTES, MIN_BYTES),
    sizeCalculation: heapBytes,
    dispose: (_, __, why) => {
      if (why === "evict") counters.evictions.known++;
    },
  });
  const unknown = new LRUCache<string, true>({
    max: maxUnknown,
    dispose: (_, __, why) => {
      if (why === "evict") counters.evictions.unknown++;
    },
  });
  let appliedRevision = store.revision();
  let foreign = store.foreignKeys?.() ?? "none";

  return {
    counters,
    sizes: () => ({ known: known.size, unknown: unknown.size, bytes: known.calculatedSize }),
    find: (digest) => {
      const cached = known.get(digest);
      if (cached !== undefined) {
        counters.hits++;
        return cached;
      }
      if (unknown.get(digest) === true) {
        counters.unknownHits++;
        return undefined;
      }
      counters.misses++;
      // Only what was read where the followed changes stand is kept: if the store goes back from a later revision before
      // anybody has followed it there, nobody would ever drop what was read in between.
      const { revision, record } = store.findAt(digest);
      if (revision === appliedRevision) {
        if (record === undefined) unknown.set(digest, true);
        else known.set(digest, record);
      }
      return record;
    },
    drop: (digest, revision) => {
      known.delete(digest);
      unknown.delete(digest);
      appliedRevision = revision;
    },
    clear: (revision) => {
      known.clear();
      unknown.clear();
      appliedRevision = revision;
    },
    foreignKeys: () => foreign,
    setForeignKeys: (now) => {
      foreign = now;
    },
  };
}

function heapBytes({ id, tenant = "", owner = "", scopes, paths, methods, networks, ownerLimits }: KeyRecord): number {
  let bytes = ENTRY_BYTES + id.length + tenant.length + owner.length;
  for (const text of ownerLimits?.scopes ?? []) bytes += TEXT_BYTES + text.length;
  for (const text of scopes) bytes += TEXT_BYTES + text.length;
  for (const text of paths) bytes += TEXT_BYTES + text.length;
  for (const text of methods) bytes += TEXT_BYTES + text.length;
  if (networks !== undefined) bytes += NETWORKS_BYTES;
  return bytes;
}
