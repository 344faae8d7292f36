import { readFileSync, rmSync, statSync } from "node:fs";

/** A database file as it was opened, beside what its path leads to since. */
export interface WatchedFile {
  /** Names the file itself, whatever leads to it: no other has this name while it is open. */
  readonly file: string;
  /**
   * Whether the path leads to another file by now, or to none, or others have begun another log beside it, or its index was
   * removed. What is read is then history, and what is written is lost, or hidden from other programs.
   */
  isReplaced(): boolean;
  /**
   * Whether the log is no longer beside the file, and there is no other. What stands in it is known only to those who have it
   * open, and is lost with them unless it is brought into the file.
   */
  hasLostLog(): boolean;
  /**
   * Whether another file is in its place, beside its own log still: SQLite would read that log into the other file, and
   * so bring back what it replaced, or a mixture of both. Only told for sure while the database is open, since the
   * system may give the log's number to another file once it is free.
   */
  hasLeftLog(): boolean;
  /** Removes that log, where it is there. */
  discardLeftLog(): void;
}

/**
 * Remembers which file a path leads to; `file` is its name without links, as SQLite calls it. To be called once the
 * database is open: then its log is there, and stays.
 */
export function watchFile(path: string, file: string): WatchedFile {
  const opened = identityOf(path);
  const [log, index] = identitiesOfLog(file);
  const hasLeftLog = () => {
    const there = identityOf(file);
    return there !== undefined && there !== opened && log !== undefined && identityOf(`${file}-wal`) === log;
  };
  return {
    file: opened ?? "",
    isReplaced() {
      const [logNow, indexNow] = identitiesOfLog(file);
      const hasLostIndex = index !== undefined && indexNow === undefined && logNow !== undefined;
      return identityOf(path) !== opened || isAnother(logNow, log) || isAnother(indexNow, index) || hasLostIndex;
    },
    hasLostLog() {
      const [logNow] = identitiesOfLog(file);
      return log !== undefined && logNow === undefined && identityOf(path) === opened;
    },
    hasLeftLog,
    discardLeftLog() {
      if (!hasLeftLog()) return;
      for (const ending of ["-wal", "-shm"]) rmSync(file + ending, { force: true });
    },
  };
}

/**
 * Whether the handles that this process has on a file share an index (`-shm`) that was removed from beside it. SQLite keeps
 * one for all of them, so that another handle joins it, and is apart from every program that is started later: neither
 * hears of what the other changes. It is over once all of them are closed. Told by what is mapped into this process
 * (`/proc/self/maps`, proc_pid_maps(5)); false where the system does not tell. A network's file system may call a file
 * deleted that is there: its number is looked at as well.
 */
export function sharesRemovedIndex(file: string): boolean {
  const index = `${file}-shm`;
  const lines = mappings();
  const removed = lines.filter((line) => line.endsWith(` ${index} (deleted)`));
  if (removed.length === 0 || lines.some((line) => line.endsWith(` ${index}`))) return false;
  const there = statSync(index, { throwIfNoEntry: false, bigint: true })?.ino;
  return removed.every((line) => line.split(/ +/)[INODE_COLUMN] !== String(there));
}

/** Before it are the addresses, the permissions, the offset and the device; behind it the path. */
const INODE_COLUMN = 4;

function mappings(): string[] {
  try {
    return readFileSync("/proc/self/maps", "utf8").split("\n");
  } catch {
    return [];
  }
}

function identitiesOfLog(file: string): [log: string | undefined, index: string | undefined] {
  return [identityOf(`${file}-wal`), identityOf(`${file}-shm`)];
}

/** Whether there is one, and not the one that was there. */
function isAnother(now: string | undefined, then: string | undefined): boolean {
  return now !== undefined && then !== undefined && now !== then;
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && `${stats.dev}:${stats.ino}`;
}
