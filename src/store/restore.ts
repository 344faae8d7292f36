import { chmodSync, constants, copyFileSync, existsSync, linkSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import { type CarriedOver, carryOver } from "./carry-over.ts";
import { refuseOrphanedLog } from "./create-database.ts";
import { openDatabase } from "./database.ts";
import { absolutePath, isPresent, presentFile } from "./file.ts";
import { readIdentity } from "./identity.ts";
import { harden } from "./inspect.ts";
import { openLedger } from "./ledger.ts";
import { StoreRefusedError } from "./refusal.ts";
import { inspectCopy, refuseLogBeside, type SoundCopy } from "./sound-copy.ts";
import { asStoreError, StoreError } from "./store-error.ts";
import { discard, sync, unfinishedBeside } from "./unfinished-file.ts";

/** What came of restoring a backup. */
export interface Restored {
  readonly backup: SoundCopy;
  /** Where the database is now that was there before; undefined where none was. */
  readonly aside: string | undefined;
  /** What was kept of it; undefined where it could not be read, or there was none. */
  readonly carriedOver: CarriedOver | undefined;
}

/**
 * Puts a copy of a backup in the place of a database that nobody has open, and the database aside. The copy is read through
 * first, and what has been closed since the backup is closed in it. Throws StoreRefusedError with nothing changed where the
 * backup is no whole store of ours (`backup`), where a program has the database open (`in_use`), and, unless `force`, where it
 * cannot be read (`unreadable_now`) or is another store (`other_store`): then nothing can be kept of it.
 */
export function restore(from: string, database: string, options: RestoreOptions): Restored {
  const wanted = absolutePath(database);
  const path = isPresent(wanted) ? presentFile(wanted) : wanted;
  const backup = presentFile(absolutePath(from));
  if (backup === path) throw new StoreRefusedError("same_file", backup);
  refuseLogBeside(backup);
  if (!isPresent(path)) refuseOrphanedLog(path);
  const held = isPresent(path) ? hold(path, options.force) : undefined;
  const unfinished = unfinishedBeside(path);
  try {
    copyFileSync(backup, unfinished, constants.COPYFILE_EXCL);
    chmodSync(unfinished, 0o600);
    const found = inspectCopy(unfinished);
    if (held !== undefined && !options.force) refuseOther(path, held, found);
    const carriedOver = prepare(unfinished, path, held, found, options);
    sync(unfinished);
    const aside = isPresent(path) ? putAside(path, options.nowMs) : undefined;
    renameSync(unfinished, path);
    sync(dirname(path));
    return { backup: found, aside, carriedOver };
  } finally {
    held?.close();
    for (const ending of ["", "-wal", "-shm"]) discard(unfinished + ending);
  }
}

/** How a backup is restored. */
interface RestoreOptions {
  /** Goes on where nothing can be kept of the database that is replaced. */
  readonly force: boolean;
  readonly actor: Actor;
  readonly nowMs: number;
}

/**
 * Opens the database for nobody else, with all of its log in it. Undefined where it cannot be read and `force` says that
 * this does not matter.
 */
function hold(path: string, force: boolean): Database.Database | undefined {
  const db = new Database(path, { fileMustExist: true, timeout: 0 });
  try {
    harden(db);
    db.pragma("locking_mode = EXCLUSIVE");
    // Whoever has it open, and be it only to read, keeps this from being done.
    db.pragma("journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE; COMMIT");
    if (readIdentity(db) === undefined) throw new Error("its identity row is missing");
    return db;
  } catch (error) {
    db.close();
    const cause = asStoreError(error);
    if (cause instanceof StoreError && cause.code === "busy") throw new StoreRefusedError("in_use", path, { cause });
    if (force) return undefined;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): StoreRefusedError {
  return new StoreRefusedError("unreadable_now", path, { detail: cause instanceof Error ? cause.message : "", cause });
}

function refuseOther(path: string, held: Database.Database, backup: SoundCopy): void {
  const uuid = readIdentity(held)?.uuid;
  if (uuid !== backup.uuid) {
    throw new StoreRefusedError("other_store", path, { detail: `it is ${uuid}, the backup is of ${backup.uuid}` });
  }
}

/** Brings the copy to this program's schema, and closes in it what has been closed since. */
function prepare(
  copy: string,
  path: string,
  held: Database.Database | undefined,
  found: SoundCopy,
  { force, actor, nowMs }: RestoreOptions,
): CarriedOver | undefined {
  const { db, identity } = openDatabase(copy, { copiesBeforeUpgrade: false });
  try {
    if (held !== undefined && readIdentity(held)?.uuid === found.uuid) {
      try {
        return carryOver(db, identity, held, actor, nowMs);
      } catch (error) {
        if (!force) throw unreadable(path, asStoreError(error));
      }
    }
    const event = { action: "system.restore", target: identity.uuid, tenant: undefined, detail: { compared: false } };
    openLedger(db, identity, () => false).annotate(actor, nowMs, (record) => record(event));
    return undefined;
  } finally {
    db.close();
  }
}

/** The name leads to the one file or the other at any moment: without any, the next start would make an empty database. */
function putAside(path: string, nowMs: number): string {
  const aside = `${path}.replaced-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-")}`;
  linkSync(path, aside);
  // Only of a database that could not be read: of the others nothing is left in the log, and its index is of no use.
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  discard(`${path}-shm`);
  return aside;
}
