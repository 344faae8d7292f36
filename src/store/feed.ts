import { randomInt } from "node:crypto";
import type Database from "better-sqlite3";

/**
 * How many revisions back the feed tells each change. Who has fallen behind further starts with an empty cache instead;
 * ten thousand is more than administrators do while a program is stopped in between. Each takes some 50 bytes of file for
 * each key that it touches, mostly one.
 */
export const KEPT_REVISIONS = 10_000;

/** A point in the history of a store. */
export interface Position {
  /** 0 before the first change. */
  readonly revision: number;
  /** Drawn at random for each revision: a store that was put back may come to the same revision by another way. */
  readonly mark: number;
}

/** Before the first change. */
export const BEGINNING: Position = { revision: 0, mark: 0 };

/** What has changed up to a position: these digests, or so much that everything has to be read again. */
export interface Changes {
  readonly position: Position;
  /** Lower-case hex. */
  readonly digests: readonly string[] | "all";
}

/** Tells who serves from a cache which digests to read again. */
export interface ChangeFeed {
  position(): Position;
  /** The changes after a position. "all" where the feed no longer reaches back to it, or never had it. */
  since(position: Position): Changes;
}

/**
 * Stands for every digest there is, where naming them would be no use: reading some thousand keys again is dearer than
 * beginning with an empty cache. The SHA-256 of no secret that anybody will ever find.
 */
export const EVERYTHING = Buffer.alloc(32);

const EVERYTHING_HEX = EVERYTHING.toString("hex");

/** More keys than this in one change, and all are read again. A hundred times what an owner usually has. */
const MAX_DIGESTS = 1_000;

interface Row extends Position {
  readonly digest: Buffer;
}

/** The feed as a reader sees it: each answer is of one moment. */
export function openFeed(db: Database.Database): ChangeFeed {
  const last = db.prepare<[], Position>("SELECT revision, mark FROM changes ORDER BY revision DESC LIMIT 1");
  // From the known revision itself on: only if it is still there, with its mark, is what follows all that has changed.
  const from = db.prepare<[number], Row>(
    "SELECT revision, mark, digest FROM changes WHERE revision >= ? ORDER BY revision",
  );

  const position = () => last.get() ?? BEGINNING;
  return {
    position,
    since: (known) => {
      const rows = from.all(known.revision);
      const [oldest] = rows;
      const newest = rows.at(-1);
      if (oldest === undefined || newest === undefined) {
        const current = position();
        return { position: current, digests: known.revision === 0 && current.revision === 0 ? [] : "all" };
      }
      const { revision, mark } = newest;
      const reachesBack = known.revision === 0 ? oldest.revision === 1 : isAt(oldest, known);
      const digests = rows.filter((row) => row.revision > known.revision).map(({ digest }) => digest.toString("hex"));
      const isNamed = reachesBack && !digests.includes(EVERYTHING_HEX);
      return { position: { revision, mark }, digests: isNamed ? digests : "all" };
    },
  };
}

function isAt(one: Position, other: Position): boolean {
  return one.revision === other.revision && one.mark === other.mark;
}

/** The largest mark: an integer that JavaScript and SQLite both hold exactly. Two in 2^47 agree by chance. */
const MARKS = 2 ** 47;

/** Writes what a revision has changed and forgets what is older than the kept ones; part of the change's transaction. */
export function openFeedWriter(db: Database.Database): (revision: number, digests: readonly Buffer[]) => void {
  const insert = db.prepare<[number, number, Buffer]>("INSERT INTO changes (revision, mark, digest) VALUES (?, ?, ?)");
  const prune = db.prepare<[number]>("DELETE FROM changes WHERE revision <= ?");
  return (revision, digests) => {
    const mark = randomInt(1, MARKS);
    for (const digest of digests.length > MAX_DIGESTS ? [EVERYTHING] : digests) insert.run(revision, mark, digest);
    prune.run(revision - KEPT_REVISIONS);
  };
}
