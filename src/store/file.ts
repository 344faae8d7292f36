import { accessSync, chmodSync, constants, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type RefusalCode, StoreRefusedError } from "./refusal.ts";

// The outside of the database's file: what can be known without opening it. Reading it with node:fs would drop, on
// closing, the locks that other threads of this process hold on it (https://sqlite.org/howtocorrupt.html §2.2).

/** The path from the root on. */
export function absolutePath(path: string): string {
  const whole = resolve(path);
  // better-sqlite3 trims the name, so that we would have judged one file and opened another.
  if (whole !== whole.trim()) throw new StoreRefusedError("path_unusable", path);
  return whole;
}

/** Whether anything lies at the path, be it ours or not. */
export function isPresent(path: string): boolean {
  return fileAt(path) !== undefined;
}

/** What lies at the path; undefined where nothing does. */
function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new StoreRefusedError("unreadable", path, { cause });
  }
}

/**
 * The real path of a file that may be opened. Throws StoreRefusedError where there is none, or nothing that can be a
 * database.
 */
export function presentFile(path: string): string {
  const found = fileAt(path);
  const refusal = found === undefined ? "missing" : refusalOfOutside(found);
  if (refusal !== undefined) throw new StoreRefusedError(refusal, path);
  return realpathSync(path);
}

function refusalOfOutside(found: Stats): RefusalCode | undefined {
  if (found.isDirectory()) return "is_directory";
  if (!found.isFile()) return "not_a_file";
  return found.size === 0 ? "empty" : undefined;
}

/** Refuses a file that this user may not read, or whose directory it may not use, in the given mode of access(2). */
export function requireAccess(file: string, mode: number): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (cause) {
    throw new StoreRefusedError("unreadable", file, { cause });
  }
  try {
    accessSync(file, mode);
    // Log and shared memory lie beside the file.
    accessSync(dirname(file), mode | constants.X_OK);
  } catch (cause) {
    throw new StoreRefusedError("read_only", file, { cause });
  }
}

/** 0600 for the file; SQLite gives its log and shared memory the same. */
export function narrowModes(file: string): void {
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statSync(each, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & 0o077) === 0) continue;
    try {
      chmodSync(each, 0o600);
    } catch (cause) {
      throw new StoreRefusedError("exposed", each, { detail: `mode 0${(found.mode & 0o777).toString(8)}`, cause });
    }
  }
}
