import { constants, statSync } from "node:fs";
import Database from "better-sqlite3";
import { createDatabase, removeUnfinished } from "./create-database.ts";
import { absolutePath, isPresent, narrowModes, presentFile, requireAccess } from "./file.ts";
import { APPLICATION_ID, type Identity, readIdentity } from "./identity.ts";
import { migrate, readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { type RefusalCode, StoreRefusedError } from "./refusal.ts";
import { asStoreError, StoreError, type StoreErrorCode } from "./store-error.ts";

/** A file that has been found to be ours and whole. */
export interface OpenedDatabase {
  readonly db: Database.Database;
  readonly identity: Identity;
}

/**
 * How long the writer waits for another program's transaction. Nobody but administrators waits with it, and a backup or
 * a second admin process is done within seconds. Only for the writer's own thread, which stands still meanwhile.
 */
const WRITER_BUSY_TIMEOUT_MS = 5000;

/**
 * How long a check thread waits for a lock. A WAL reader meets one only while the log is being recovered, and all checks
 * of the thread wait with it: it must stay well below Envoy's default timeout of 200 ms.
 */
const READER_BUSY_TIMEOUT_MS = 50;

/** SQLite's default, with which our files are made: a whole file is a multiple of it. */
const PAGE_SIZE = 4096;

/** SQLite's smallest page: less is no database of anybody's, but the beginning of one. */
const SMALLEST_PAGE = 512;

/**
 * Opens the store's file for writing and brings its schema up to date; creates it (0600) where there is none. The one
 * writing handle of a process. Throws StoreRefusedError for whatever is there and is not a whole store of ours, and has
 * not touched its bytes or mode then.
 */
export function openDatabase(path: string, { busyTimeoutMs = WRITER_BUSY_TIMEOUT_MS } = {}): OpenedDatabase {
  const wanted = absolutePath(path);
  if (!isPresent(wanted)) createDatabase(wanted, Date.now());
  const file = presentFile(wanted);
  requireAccess(file, constants.R_OK | constants.W_OK);
  return opening(file, () => {
    const probe = new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    try {
      inspect(probe, file, "quick_check");
    } finally {
      probe.close();
    }
    // Only now is it known to be ours to touch.
    narrowModes(file);
    removeUnfinished(file);
    return settled(new Database(file, { fileMustExist: true, timeout: busyTimeoutMs }), (db) => {
      harden(db);
      if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal") throw new StoreRefusedError("no_wal", file);
      // A change is answered when it is on the disk: with less, a power cut could bring back a revoked key.
      db.pragma("synchronous = FULL");
      db.pragma("foreign_keys = ON");
      migrate(db);
    });
  });
}

/**
 * Opens the store's file for reading only: creates nothing, migrates nothing, and refuses what openDatabase refuses, a
 * schema that is not exactly this program's and a missing file as well.
 */
export function openDatabaseForReading(path: string): OpenedDatabase {
  const file = presentFile(absolutePath(path));
  requireAccess(file, constants.R_OK);
  return opening(file, () =>
    settled(new Database(file, { readonly: true, fileMustExist: true, timeout: WRITER_BUSY_TIMEOUT_MS }), (db) => {
      harden(db);
      db.pragma("query_only = ON");
      // Reading all of the audit trail would hold up a replaced check thread: the table it serves from is what counts.
      inspect(db, file, "quick_check(keys)");
      const version = readSchemaVersion(db);
      if (version < SCHEMA_VERSION) {
        throw new StoreRefusedError("older_schema", file, { detail: `it has ${version}, expected ${SCHEMA_VERSION}` });
      }
      // Nobody is served yet while the file is being opened; from here on checks wait with every lock.
      db.pragma(`busy_timeout = ${READER_BUSY_TIMEOUT_MS}`);
    }),
  );
}

/** Pragmas of every handle: a file that was tampered with must not run code of its own, nor pass as whole. */
function harden(db: Database.Database): void {
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
}

/** Judges the inside of the file, without writing. */
function inspect(db: Database.Database, file: string, check: string): void {
  const found = Number(db.pragma("application_id", { simple: true }));
  if (found !== APPLICATION_ID) {
    const code = statSync(file).size < SMALLEST_PAGE ? "corrupt" : "foreign";
    throw new StoreRefusedError(code, file, { detail: `application_id ${found}` });
  }
  refuseNewerSchema(db, file);
  if (hasPartialPage(file)) throw new StoreRefusedError("corrupt", file, { detail: "the last page is incomplete" });
  if (readIdentity(db) === undefined) throw new StoreRefusedError("no_identity", file);
  const verdict = db.pragma(check, { simple: true });
  if (verdict !== "ok") throw new StoreRefusedError("corrupt", file, { detail: String(verdict) });
}

/** SQLite reads a cut page as if it ended in zeros. With a log beside it the page may be whole in there. */
function hasPartialPage(file: string): boolean {
  const cut = statSync(file).size % PAGE_SIZE !== 0;
  return cut && (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** The handle with its identity once `prepare` has run; closed again where that fails. */
function settled(db: Database.Database, prepare: (db: Database.Database) => void): OpenedDatabase {
  try {
    prepare(db);
    const identity = readIdentity(db);
    if (identity === undefined) throw new StoreRefusedError("no_identity", db.name);
    return { db, identity };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What SQLite says of the file while it is being opened, as a refusal where it is one. */
function opening(file: string, open: () => OpenedDatabase): OpenedDatabase {
  try {
    return open();
  } catch (error) {
    const cause = asStoreError(error);
    const refusal = cause instanceof StoreError ? refusals[cause.code] : undefined;
    throw refusal === undefined ? cause : new StoreRefusedError(refusal, file, { cause });
  }
}

/** What SQLite finds out about a file only by opening it. The rest, such as "busy", says nothing about the file. */
const refusals: { readonly [Code in StoreErrorCode]?: RefusalCode } = {
  wrong_file: "not_sqlite",
  corrupt: "corrupt",
  read_only: "read_only",
};

/** Throws StoreRefusedError where a newer program has written the file, which may mean more by it than is read here. */
export function refuseNewerSchema(db: Database.Database, file: string): void {
  const version = readSchemaVersion(db);
  if (version <= SCHEMA_VERSION) return;
  throw new StoreRefusedError("newer_schema", file, {
    detail: `it has ${version}, at most ${SCHEMA_VERSION} is known`,
  });
}
