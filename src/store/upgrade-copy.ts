import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { readIdentity } from "./identity.ts";
import { readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { StoreRefusedError } from "./refusal.ts";
import { createPrivate, discard, finish, unfinishedBeside } from "./unfinished-file.ts";

/** A copy of the database as an earlier program left it. */
export interface UpgradeCopy {
  readonly path: string;
  /** The schema that it has. */
  readonly schemaVersion: number;
}

/** So much room has to be there, in sizes of the database: the copy, and the log of an update that writes every page. */
const NEEDED_SIZES = 2;

/**
 * Copies a database whose schema is older than this program's to a file beside it that is named for that schema, mode 0600:
 * with it, the earlier program can be put back. The copy is read through before it gets its name. Returns undefined where
 * the schema is up to date. Throws StoreRefusedError, before anything was changed, where there can be no copy.
 */
export function copyBeforeUpgrade(db: Database.Database, file: string): UpgradeCopy | undefined {
  const schemaVersion = readSchemaVersion(db);
  if (schemaVersion >= SCHEMA_VERSION) return undefined;
  requireRoom(file);
  const path = `${file}.schema-${schemaVersion}.bak`;
  const unfinished = unfinishedBeside(file);
  try {
    createPrivate(unfinished);
    db.prepare("VACUUM INTO ?").run(unfinished);
    requireWhole(unfinished, db, schemaVersion);
    finish(unfinished, path);
  } catch (cause) {
    // Another program that starts now may have been faster, and has made the copy.
    if (readSchemaVersion(db) > schemaVersion) return undefined;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new StoreRefusedError("no_copy", file, { detail, cause });
  } finally {
    discard(unfinished);
  }
  return { path, schemaVersion };
}

function requireRoom(file: string): void {
  const { bavail, bsize } = statfsSync(dirname(file));
  const [needed, free] = [statSync(file).size * NEEDED_SIZES, bavail * bsize];
  if (free >= needed) return;
  throw new StoreRefusedError("no_room", file, { detail: `${needed} bytes are needed, ${free} are free` });
}

function requireWhole(copy: string, of: Database.Database, schemaVersion: number): void {
  const db = new Database(copy, { readonly: true });
  try {
    const verdict = db.pragma("integrity_check", { simple: true });
    if (verdict !== "ok") throw new Error(`the copy is damaged: ${verdict}`);
    const found = readSchemaVersion(db);
    if (found !== schemaVersion) throw new Error(`the copy has schema ${found}, expected ${schemaVersion}`);
    if (readIdentity(db)?.uuid !== readIdentity(of)?.uuid) throw new Error("the copy is one of another database");
  } finally {
    db.close();
  }
}
