import { closeSync, constants, openSync, writeSync } from "node:fs";
import Database from "better-sqlite3";
import { absolutePath, presentFile, requireAccess } from "./file.ts";
import { harden, inspect, refusing } from "./inspect.ts";

/** How a copy is told about while it is made, and how it is given up. */
export interface CopyOptions {
  /** Aborted: the copy is given up, and what is thrown is the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told of the bytes that are copied, of how many in all. */
  readonly onProgress?: (copied: number, total: number) => void;
}

/** Pages that are copied in one go: about a millisecond of work, after which the thread does something else. */
const PAGES_AT_ONCE = 256;

/**
 * Copies a database to a file that is there and empty, while others read and write it: what the copy holds is the state of
 * one moment, when it ends. A copy is a whole database in one file, without a log beside it, until somebody opens it to
 * write.
 */
export async function copyOnline(db: Database.Database, to: string, options: CopyOptions = {}): Promise<void> {
  const pageSize = Number(db.pragma("page_size", { simple: true }));
  await db.backup(to, {
    progress({ totalPages, remainingPages }) {
      options.signal?.throwIfAborted();
      options.onProgress?.((totalPages - remainingPages) * pageSize, totalPages * pageSize);
      return PAGES_AT_ONCE;
    },
  });
  leaveWalMode(to);
}

/** Otherwise who reads the copy leaves a log beside it (https://sqlite.org/fileformat.html#file_format_version_numbers). */
function leaveWalMode(path: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, Uint8Array.of(1, 1), 0, 2, 18);
  } finally {
    closeSync(file);
  }
}

/**
 * Copies the database at a path that this program does not serve, in the same way; who serves it meanwhile is not held up.
 * Throws StoreRefusedError where it is not a store of ours.
 */
export async function copyUnserved(path: string, to: string, options: CopyOptions = {}): Promise<void> {
  const file = presentFile(absolutePath(path));
  requireAccess(file, constants.R_OK);
  const db = refusing(file, () => new Database(file, { readonly: true, fileMustExist: true }));
  try {
    refusing(file, () => {
      harden(db);
      // What is damaged shows in the copy, which is read through; here it only has to be ours.
      inspect(db, file, "quick_check(identity)");
    });
    await copyOnline(db, to, options);
  } finally {
    db.close();
  }
}
