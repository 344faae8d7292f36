import { existsSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { absolutePath, presentFile } from "./file.ts";
import { harden, inspect, refusing } from "./inspect.ts";
import { readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { StoreRefusedError } from "./refusal.ts";
import { watchFile } from "./replaced.ts";
import { discard } from "./unfinished-file.ts";

/** What is read through: everything, or only what checks are answered from. */
export type Extent = "everything" | "keys";

/** SQLite's own check of the structure, for each extent (https://sqlite.org/pragma.html#pragma_quick_check). */
export const CHECKS: { readonly [Which in Extent]: string } = { everything: "quick_check", keys: "quick_check(keys)" };

/**
 * Up to this size a database is read through before anybody is served from it. 32 MiB, some 55,000 keys, take about 60 ms
 * of processor time; 600 MB, a million keys, take a second, and on a slow disk as many as it needs to read them.
 */
const LARGEST_READ_FIRST_BYTES = 32 * 1024 * 1024;

/**
 * Whether a database that is ours may be served before it is read through, by a program that sees to it that it is
 * (serve/examination.ts): one that is large, of this program's schema, so that nothing has to be rewritten, and that was not
 * found to be damaged before.
 *
 * What SQLite finds out by itself meanwhile: a file that is shorter than its header says is refused when it is opened; a page
 * that is not one of a table or index, or whose cells do not lie within it (`cell_size_check`), is an error when it is read,
 * and that is a denial (https://sqlite.org/fileformat.html#b_tree_pages). A row is found by comparing all of its digest, so
 * that damage makes keys unknown rather than others of them. What only reading all of it shows is a page that two places
 * point to, which may hold an earlier state of a key. What no check of SQLite's shows is a page that is old or altered and
 * still well-formed: it keeps no sums of pages.
 */
export function mayBeReadLater(db: Database.Database, file: string): boolean {
  if (readSchemaVersion(db) !== SCHEMA_VERSION || existsSync(markBeside(file))) return false;
  const pages = Number(db.pragma("page_count", { simple: true }));
  return pages * Number(db.pragma("page_size", { simple: true })) > LARGEST_READ_FIRST_BYTES;
}

/**
 * Reads a database through that others serve, and returns which file that was (`WatchedFile.file`). Throws StoreRefusedError
 * `corrupt` where it is damaged, and leaves a mark beside it, so that no later start serves it unread; throws other errors
 * where that cannot be told, such as of a file that is replaced meanwhile. Holds up neither readers nor the writer: only the
 * log grows until it is done.
 */
export function readThrough(path: string, extent: Extent): string {
  const file = presentFile(absolutePath(path));
  try {
    return refusing(file, () => readAll(path, file, extent));
  } catch (error) {
    if (error instanceof StoreRefusedError && error.code === "corrupt") markDamaged(error);
    throw error;
  }
}

function readAll(path: string, file: string, extent: Extent): string {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    harden(db);
    const watched = watchFile(path, file);
    try {
      inspect(db, file, CHECKS[extent]);
    } catch (error) {
      // One file with the log of another is no file that anybody serves.
      if (watched.isReplaced() || watched.hasLostLog()) throw new Error("it was replaced while it was read");
      throw error;
    }
    return watched.file;
  } finally {
    db.close();
  }
}

/** Where the directory cannot be written, the next start serves the file while it reads it, as this one did. */
function markDamaged({ path, message }: StoreRefusedError): void {
  try {
    writeFileSync(markBeside(path), `${message}\n`, { mode: 0o600 });
  } catch {}
}

/** To be called once a file was found to be whole: the mark is that of one which lay there before. */
export function removeMark(file: string): void {
  discard(markBeside(file));
}

function markBeside(file: string): string {
  return `${file}.damaged`;
}
