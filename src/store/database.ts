import { constants } from "node:fs";
import Database from "better-sqlite3";
import { createDatabase } from "./create-database.ts";
import { absolutePath, isPresent, narrowModes, presentFile, requireAccess } from "./file.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { harden, inspect, refusing } from "./inspect.ts";
import { migrate, readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { CHECKS, type Extent, mayBeReadLater, removeMark } from "./read-through.ts";
import { StoreRefusedError } from "./refusal.ts";
import { sharesRemovedIndex } from "./replaced.ts";
import { removeUnfinished } from "./unfinished-file.ts";
import { copyBeforeUpgrade, type UpgradeCopy } from "./upgrade-copy.ts";

/** A file that has been found to be ours, and whole unless it says otherwise. */
export interface OpenedDatabase {
  readonly db: Database.Database;
  readonly identity: Identity;
  /** False: it is served unread, and somebody has to read it through now. Only where that was allowed. */
  readonly isReadThrough: boolean;
  /** The copy that was made before its schema was brought up to date; undefined where it was. */
  readonly copy?: UpgradeCopy | undefined;
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

/** How a file is opened. */
export interface OpeningOptions {
  /** Left out: the file is read through first. True: a large one may be read through while it is served (`mayBeReadLater`). */
  readonly mayReadLater?: boolean;
}

/** How it is opened for writing. */
export interface WriterOptions extends OpeningOptions {
  readonly busyTimeoutMs?: number;
  readonly copiesBeforeUpgrade?: boolean;
}

/**
 * Opens the store's file for writing and brings its schema up to date, after a copy was made; creates it (0600) where there is none. The one
 * writing handle of a process. Throws StoreRefusedError for whatever is there and is not a whole store of ours, and has
 * not touched its bytes or mode then. Of a large file with `mayReadLater`, that it is whole is not known yet.
 */
export function openDatabase(
  path: string,
  { busyTimeoutMs = WRITER_BUSY_TIMEOUT_MS, copiesBeforeUpgrade = true, mayReadLater = false }: WriterOptions = {},
): OpenedDatabase {
  const wanted = absolutePath(path);
  if (!isPresent(wanted)) createDatabase(wanted, Date.now());
  const file = presentFile(wanted);
  requireAccess(file, constants.R_OK | constants.W_OK);
  return refusing(file, () => {
    const probe = new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    let isReadThrough: boolean;
    try {
      isReadThrough = look(probe, file, "everything", mayReadLater);
    } finally {
      probe.close();
    }
    // Only now is it known to be ours to touch.
    narrowModes(file);
    removeUnfinished(file);
    if (isReadThrough) removeMark(file);
    let copy: UpgradeCopy | undefined;
    const opened = settled(new Database(file, { fileMustExist: true, timeout: busyTimeoutMs }), (db) => {
      harden(db);
      if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal") throw new StoreRefusedError("no_wal", file);
      // A change is answered when it is on the disk: with less, a power cut could bring back a revoked key.
      db.pragma("synchronous = FULL");
      db.pragma("foreign_keys = ON");
      if (copiesBeforeUpgrade) copy = copyBeforeUpgrade(db, file);
      migrate(db);
    });
    return { ...opened, isReadThrough, copy };
  });
}

/**
 * Opens the store's file for reading only: creates nothing, migrates nothing, and refuses what openDatabase refuses, a
 * schema that is not exactly this program's and a missing file as well.
 */
export function openDatabaseForReading(path: string, { mayReadLater = false }: OpeningOptions = {}): OpenedDatabase {
  const file = presentFile(absolutePath(path));
  requireAccess(file, constants.R_OK);
  return refusing(file, () => {
    let isReadThrough = false;
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: WRITER_BUSY_TIMEOUT_MS });
    const opened = settled(db, (db) => {
      harden(db);
      db.pragma("query_only = ON");
      // Reading all of the audit trail would hold up a replaced check thread: the table it serves from is what counts.
      isReadThrough = look(db, file, "keys", mayReadLater);
      const version = readSchemaVersion(db);
      if (version < SCHEMA_VERSION) {
        throw new StoreRefusedError("older_schema", file, { detail: `it has ${version}, expected ${SCHEMA_VERSION}` });
      }
      // Nobody is served yet while the file is being opened; from here on checks wait with every lock.
      db.pragma(`busy_timeout = ${READER_BUSY_TIMEOUT_MS}`);
    });
    return { ...opened, isReadThrough };
  });
}

/** Looks at a file before it is served, and returns whether that was all of the extent. */
function look(db: Database.Database, file: string, extent: Extent, mayReadLater: boolean): boolean {
  const isLater = mayReadLater && mayBeReadLater(db, file);
  inspect(db, file, isLater ? "quick_check(identity)" : CHECKS[extent]);
  return !isLater;
}

/** The handle with its identity once `prepare` has run; closed again where that fails. */
function settled(
  db: Database.Database,
  prepare: (db: Database.Database) => void,
): Pick<OpenedDatabase, "db" | "identity"> {
  try {
    prepare(db);
    const identity = readIdentity(db);
    if (identity === undefined) throw new StoreRefusedError("no_identity", db.name);
    if (sharesRemovedIndex(db.name)) throw new StoreRefusedError("removed_index", db.name);
    return { db, identity };
  } catch (error) {
    db.close();
    throw error;
  }
}
