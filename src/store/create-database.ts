import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { writeIdentity } from "./identity.ts";
import { migrate } from "./migrations.ts";
import { StoreRefusedError } from "./refusal.ts";
import { discard, sync, unfinishedBeside } from "./unfinished-file.ts";

/**
 * Puts a new, complete database at the path: mode 0600, missing directories made with 0700. A kill at any moment leaves
 * either no file at the path or a whole one, since the bytes are written and synced under another name and get theirs
 * by link(2). Where another program was faster, its file stays.
 */
export function createDatabase(path: string, nowMs: number): void {
  refuseOrphanedLog(path);
  const unfinished = unfinishedBeside(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeSynced(unfinished, emptyStore(nowMs));
    linkIfAbsent(unfinished, path);
    sync(dirname(path));
  } catch (cause) {
    throw new StoreRefusedError("cannot_create", path, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  } finally {
    discard(unfinished);
  }
}

/**
 * SQLite would replay a log left by a vanished database into the new one, and bring back keys long revoked. Another
 * program's first start makes its database before the log, so a log beside a database is no orphan.
 */
export function refuseOrphanedLog(path: string): void {
  const hasLog = existsSync(`${path}-wal`) || existsSync(`${path}-journal`);
  if (hasLog && !existsSync(path)) throw new StoreRefusedError("orphaned_log", path);
}

/** The bytes of a store without keys, made in memory so that SQLite leaves no half-written file of its own. */
function emptyStore(nowMs: number): Buffer {
  const db = new Database(":memory:");
  try {
    migrate(db);
    writeIdentity(db, nowMs);
    const bytes = db.serialize();
    // Born in WAL mode (https://sqlite.org/fileformat.html#file_format_version_numbers): no reader ever sees the switch.
    bytes.fill(2, 18, 20);
    return bytes;
  } finally {
    db.close();
  }
}

function writeSynced(path: string, bytes: Buffer): void {
  const file = openSync(path, "wx", 0o600);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** EEXIST: another program was faster. ENOENT: it was, and has tidied up our file too. */
function linkIfAbsent(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
