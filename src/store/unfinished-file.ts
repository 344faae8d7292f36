import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Stands between the database's name and a random part while a file is being written beside it. */
const UNFINISHED_MARK = ".unfinished-";

/** A new name for a file that is being written beside another; what is left of it goes with the database's next start. */
export function unfinishedBeside(path: string): string {
  return `${path}${UNFINISHED_MARK}${randomUUID()}`;
}

/** Makes an empty file that only its user may open. Throws where anything is there already. */
export function createPrivate(path: string): void {
  closeSync(openSync(path, "wx", 0o600));
}

/** Gives a file that is written its name, in place of whatever has that name; it is on the disk before it has. */
export function finish(unfinished: string, path: string): void {
  sync(unfinished);
  renameSync(unfinished, path);
  sync(dirname(path));
}

/** Sees to it that a file, or the names in a directory, are on the disk. */
export function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Removes what programs that were killed have left beside an existing database. One that is still at it has to begin anew. */
export function removeUnfinished(path: string): void {
  const start = basename(path) + UNFINISHED_MARK;
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(start)) discard(join(dirname(path), name));
  }
}

/** Only tidying up: what cannot be removed now is met again by the next start. */
export function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {}
}
