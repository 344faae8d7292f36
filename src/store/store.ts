import type Database from "better-sqlite3";
import type { ForeignKeys } from "../key/record.ts";
import { type AdminKeys, openAdminKeys } from "./admin-keys.ts";
import { type AuditTrail, openAuditTrail } from "./audit-trail.ts";
import { type Backups, openBackups } from "./backups.ts";
import { openDatabase, type WriterOptions } from "./database.ts";
import { type Denials, openDenials } from "./denials.ts";
import { type EndedKeys, openEndedKeys } from "./ended-keys.ts";
import { openForeignKeys } from "./foreign-keys.ts";
import type { Identity } from "./identity.ts";
import { type Imports, openImports } from "./imports.ts";
import { type Keys, openKeys } from "./keys.ts";
import { openLedger } from "./ledger.ts";
import { SCHEMA_VERSION } from "./migrations.ts";
import { type Owners, openOwners } from "./owners.ts";
import { openQuietKeys, type QuietKeys } from "./quiet-keys.ts";
import { watchFile } from "./replaced.ts";
import { openSigningKeys, type SigningKeys } from "./signing-keys.ts";
import { surfacing } from "./store-error.ts";
import type { UpgradeCopy } from "./upgrade-copy.ts";
import { openUsage, type Usage } from "./usage.ts";

/**
 * The writing side of the store. Each change is one transaction that takes the next revision and holds the row, its audit
 * event and its entry in the change feed; when the call returns it is on the disk. A call that throws has changed nothing.
 */
export interface Store
  extends Keys,
    Imports,
    Owners,
    AdminKeys,
    SigningKeys,
    AuditTrail,
    EndedKeys,
    Denials,
    Usage,
    QuietKeys,
    Backups {
  readonly identity: Identity;
  /** The file, where it is served before it was read through; undefined where it was. */
  readonly unreadFile: string | undefined;
  /** The copy that was made when it was opened, before its schema was brought up to date; undefined where it was. */
  readonly upgradeCopy: UpgradeCopy | undefined;
  /** The number of the last migration. */
  readonly schemaVersion: number;
  /** Which keys were made elsewhere; read anew each time. */
  foreignKeys(): ForeignKeys;
  /** The last revision; 0 before the first change. */
  revision(): number;
  /** Whether the path leads to another file by now; then nothing can be written any more. */
  isReplaced(): boolean;
  /** Whether its log was removed from beside it; until `close` has brought that into the file, nothing can be written. */
  hasLostLog(): boolean;
  /** Where another file has been put in place of this one, its log goes too: it would be read into the other file. */
  close(): void;
}

/**
 * Opens the store for writing, and makes it where there is no file. One per process, on the writer's own thread: calls
 * are synchronous and wait up to `busyTimeoutMs` (5,000 unless told) for another program's transaction.
 * Throws StoreRefusedError for a file that is not a whole store of ours, StoreError where SQLite fails. With `mayReadLater`,
 * whoever gets an `unreadFile` sees to it that it is read through (serve/examination.ts).
 */
export function openStore(path: string, options: Omit<WriterOptions, "copiesBeforeUpgrade"> = {}): Store {
  const { db, identity, isReadThrough, copy } = openDatabase(path, options);
  const file = watchFile(path, db.name);
  const isCutOff = () => file.isReplaced() || file.hasLostLog();
  const ledger = openLedger(db, identity, isCutOff);
  return {
    ...openKeys(db, ledger),
    ...openUsage(db, isCutOff),
    ...openQuietKeys(db, ledger),
    ...openImports(db, ledger),
    ...openOwners(db, ledger),
    ...openAdminKeys(db, ledger),
    ...openSigningKeys(db, ledger),
    ...openAuditTrail(db, ledger, identity),
    ...openEndedKeys(db, ledger),
    ...openDenials(db, ledger),
    ...openBackups(db, ledger, identity),
    identity,
    unreadFile: isReadThrough ? undefined : file.file,
    upgradeCopy: copy,
    schemaVersion: SCHEMA_VERSION,
    foreignKeys: openForeignKeys(db),
    revision: surfacing(db, ledger.revision),
    isReplaced: file.isReplaced,
    hasLostLog: file.hasLostLog,
    close: () => {
      file.discardLeftLog();
      if (!file.isReplaced()) checkpoint(db);
      db.close();
    },
  };
}

/**
 * Brings the log into the file, without waiting for anybody. SQLite does so by itself for the last one who closes, but
 * another program may have the database open, and what fails here is done by the next one who opens it.
 */
function checkpoint(db: Database.Database): void {
  try {
    db.pragma("wal_checkpoint(PASSIVE)");
  } catch {
    // The disk is full or gone: the log holds all of it.
  }
}
