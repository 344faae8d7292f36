import type { KeyCache } from "./cache.ts";
import type { KeyReader } from "./reader.ts";

/** Keeps a cache up with the store. Synchronous: when it returns, the next check obeys every change up to the answer. */
export interface Follower {
  /** Reads the feed and drops what has changed. Returns the applied revision. Throws StoreError; then nothing is applied. */
  follow(): number;
  /** The same, but reads the feed only if anybody has committed since; for asking in short intervals. */
  poll(): number;
}

/**
 * Starts from what the store says now, with an empty cache. Every answer about how far the store is, is taken before what
 * it is about: a commit in between is met again by the next call, and never missed.
 */
export function createFollower(
  reader: Pick<KeyReader, "position" | "dataVersion" | "changesSince" | "foreignKeys">,
  cache: Pick<KeyCache, "drop" | "clear" | "setForeignKeys">,
): Follower {
  let seenVersion = reader.dataVersion();
  let applied = reader.position();
  cache.clear(applied.revision);
  cache.setForeignKeys(reader.foreignKeys());

  const follow = () => {
    const { position, digests } = reader.changesSince(applied);
    if (digests.length > 0) cache.setForeignKeys(reader.foreignKeys());
    if (digests === "all") cache.clear(position.revision);
    else for (const digest of digests) cache.drop(digest, position.revision);
    applied = position;
    return applied.revision;
  };
  return {
    follow,
    poll: () => {
      const version = reader.dataVersion();
      if (version === seenVersion) return applied.revision;
      follow();
      // Only now: had the feed not been readable, the next poll must try again.
      seenVersion = version;
      return applied.revision;
    },
  };
}
