import type { KeyStore } from "../key/record.ts";
import { openDatabaseForReading } from "./database.ts";
import { digestBytes } from "./digest.ts";
import { type Changes, openFeed, type Position } from "./feed.ts";
import { KEY_RECORD_COLUMNS, KEYS_WITH_OWNERS, type KeyRecordRow, keyRecordOf } from "./key-row.ts";
import { type WatchedFile, watchFile } from "./replaced.ts";
import { surfacing } from "./store-error.ts";

/**
 * The store as a check thread holds it: it only reads, and it goes on reading while others write. Each call is of one
 * moment and throws StoreError where the store cannot tell.
 */
export interface KeyReader extends KeyStore, Pick<WatchedFile, "isReplaced" | "hasLeftLog"> {
  /** The last revision; 0 before the first change. */
  revision(): number;
  /** Differs from the last answer once anybody else has committed; cheap enough to ask many times a second. */
  dataVersion(): number;
  /** Where the store is in its history. */
  position(): Position;
  /** What a cache filled at this position or later has to read again. */
  changesSince(position: Position): Changes;
  close(): void;
}

/**
 * Opens the store for reading. Throws StoreRefusedError for a file that is missing, not ours, not whole, or of another
 * schema than this program's: that means "not ready", never "no keys".
 */
export function openKeyReader(path: string): KeyReader {
  const { db } = openDatabaseForReading(path);
  const { isReplaced, hasLeftLog } = watchFile(path, db.name);
  const feed = openFeed(db);
  const byDigest = db.prepare<[Buffer], KeyRecordRow>(
    `SELECT ${KEY_RECORD_COLUMNS.join(", ")} FROM ${KEYS_WITH_OWNERS} WHERE digest = ?`,
  );
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  return {
    find: surfacing(db, (digest: string) => {
      const row = byDigest.get(digestBytes(digest));
      return row && keyRecordOf(row);
    }),
    revision: surfacing(db, () => feed.position().revision),
    position: surfacing(db, feed.position),
    dataVersion: surfacing(db, () => dataVersion.get() ?? 0),
    changesSince: surfacing(db, feed.since),
    isReplaced,
    hasLeftLog,
    close: () => {
      db.close();
    },
  };
}
