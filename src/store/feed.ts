import type Database from "better-sqlite3";

/**
 * How many revisions back the feed tells each change. Who has fallen behind further starts with an empty cache instead;
 * ten thousand is more than administrators do while a program is stopped in between, and less than 1 MB of file.
 */
export const KEPT_REVISIONS = 10_000;

/** What has changed up to a revision: these digests, or so much that everything has to be read again. */
export interface Changes {
  readonly revision: number;
  /** Lower-case hex. */
  readonly digests: readonly string[] | "all";
}

/** Tells who serves from a cache which digests to read again. */
export interface ChangeFeed {
  /** The last revision; 0 before the first change. */
  revision(): number;
  /** The changes after a revision. "all" where the feed no longer reaches back to it, or never had it. */
  since(revision: number): Changes;
}

/** The feed as a reader sees it: each answer is of one moment. */
export function openFeed(db: Database.Database): ChangeFeed {
  const last = db.prepare<[], number>("SELECT coalesce(max(revision), 0) FROM changes").pluck();
  // From the asked revision itself on: only if it or its successor is still there has nothing in between been pruned.
  const from = db
    .prepare<[number], [number, Buffer]>("SELECT revision, digest FROM changes WHERE revision >= ? ORDER BY revision")
    .raw();

  const revision = () => last.get() ?? 0;
  return {
    revision,
    since: (known) => {
      const rows = from.all(known);
      const oldest = rows.at(0)?.[0];
      const newest = rows.at(-1)?.[0];
      if (oldest === undefined || newest === undefined) {
        const current = revision();
        return { revision: current, digests: known === 0 && current === 0 ? [] : "all" };
      }
      if (oldest > known + 1) return { revision: newest, digests: "all" };
      return {
        revision: newest,
        digests: rows.filter(([at]) => at > known).map(([, digest]) => digest.toString("hex")),
      };
    },
  };
}

/** Writes what a revision has changed and forgets what is older than the kept ones; part of the change's transaction. */
export function openFeedWriter(db: Database.Database): (revision: number, digests: readonly Buffer[]) => void {
  const insert = db.prepare<[number, Buffer]>("INSERT INTO changes (revision, digest) VALUES (?, ?)");
  const prune = db.prepare<[number]>("DELETE FROM changes WHERE revision <= ?");
  return (revision, digests) => {
    for (const digest of digests) insert.run(revision, digest);
    prune.run(revision - KEPT_REVISIONS);
  };
}
