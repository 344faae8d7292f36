import type { ForeignKeys, KeyStore } from "../key/record.ts";
import type { Found, KeySource } from "./cache.ts";
import { type OpeningOptions, openDatabaseForReading } from "./database.ts";
import { digestBytes } from "./digest.ts";
import { BEGINNING, type Changes, openFeed, type Position } from "./feed.ts";
import { openForeignKeys } from "./foreign-keys.ts";
import { refuseNewerSchema } from "./inspect.ts";
import { KEY_RECORD_COLUMNS, type KeyRecordRow, keyRecordOf, OWNERS_OF_KEYS } from "./key-row.ts";
import { type WatchedFile, watchFile } from "./replaced.ts";
import { surfacing } from "./store-error.ts";

/**
 * The store as a check thread holds it: it only reads, and it goes on reading while others write. Each call is of one
 * moment and throws StoreError where the store cannot tell.
 */
export interface KeyReader extends KeyStore, KeySource, Pick<WatchedFile, "isReplaced" | "hasLeftLog" | "hasLostLog"> {
  /** The file, where it is served before it was read through; undefined where it was. */
  readonly unreadFile: string | undefined;
  /** Reads it anew: not for the way of a check. */
  foreignKeys(): ForeignKeys;
  /** Differs from the last answer once anybody else has committed; cheap enough to ask many times a second. */
  dataVersion(): number;
  /** Where the store is in its history. */
  position(): Position;
  /**
   * What a cache filled at this position or later has to read again. StoreRefusedError where a newer program has taken the
   * file over.
   */
  changesSince(position: Position): Changes;
  close(): void;
}

/**
 * Opens the store for reading. Throws StoreRefusedError for a file that is missing, not ours, not whole, or of another
 * schema than this program's: that means "not ready", never "no keys". `mayReadLater` is as for openStore.
 */
export function openKeyReader(path: string, options: OpeningOptions = {}): KeyReader {
  const { db, isReadThrough } = openDatabaseForReading(path, options);
  const { file, isReplaced, hasLeftLog, hasLostLog } = watchFile(path, db.name);
  const feed = openFeed(db);
  // The plus changes nothing but that SQLite (built with STAT4) does not plan by the value: with a join it would prepare the
  // statement anew for each, which takes ten times as long as the look-up, and a stranger decides how often.
  // One row, whether there is such a key or not. One statement: two take a quarter longer.
  const byDigest = db.prepare<[Buffer], FoundRow>(
    `SELECT store_revision, ${KEY_RECORD_COLUMNS.join(", ")}
     FROM (SELECT max(revision) AS store_revision FROM changes) LEFT JOIN keys ON digest = +? ${OWNERS_OF_KEYS}`,
  );
  const findAt = surfacing(db, (digest: string): Found => {
    const row = byDigest.get(digestBytes(digest));
    const revision = row?.store_revision ?? BEGINNING.revision;
    return { revision, record: isKey(row) ? keyRecordOf(row) : undefined };
  });
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  return {
    unreadFile: isReadThrough ? undefined : file,
    findAt,
    find: (digest) => findAt(digest).record,
    foreignKeys: openForeignKeys(db),
    revision: surfacing(db, () => feed.position().revision),
    position: surfacing(db, feed.position),
    dataVersion: surfacing(db, () => dataVersion.get() ?? 0),
    changesSince: surfacing(db, (position) => {
      // A newer program may have taken the file over while this one had it open.
      refuseNewerSchema(db, path);
      return feed.since(position);
    }),
    isReplaced,
    hasLeftLog,
    hasLostLog,
    close: () => {
      db.close();
    },
  };
}

/** Nothing but the revision where there is no such key, and null for that before the first change. */
type FoundRow = { readonly store_revision: number | null } & (KeyRecordRow | { readonly id: null });

function isKey(row: FoundRow | undefined): row is FoundRow & KeyRecordRow {
  return row !== undefined && row.id !== null;
}
