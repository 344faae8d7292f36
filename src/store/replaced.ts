import { rmSync, statSync } from "node:fs";

/** A database file as it was opened, beside what its path leads to since. */
export interface WatchedFile {
  /** Names the file itself, whatever leads to it: no other has this name while it is open. */
  readonly file: string;
  /**
   * Whether the path leads to another file by now, or to none, or others have begun another log beside it. What is read is
   * then history, what is written is lost.
   */
  isReplaced(): boolean;
  /**
   * Whether the log, or its index, is no longer beside the file, and there is no other. What stands in it is known only to
   * those who have it open, and is lost with them unless it is brought into the file.
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
      return identityOf(path) !== opened || isAnother(logNow, log) || isAnother(indexNow, index);
    },
    hasLostLog() {
      const [logNow, indexNow] = identitiesOfLog(file);
      const isLost = (log !== undefined && logNow === undefined) || (index !== undefined && indexNow === undefined);
      return isLost && identityOf(path) === opened;
    },
    hasLeftLog,
    discardLeftLog() {
      if (!hasLeftLog()) return;
      for (const ending of ["-wal", "-shm"]) rmSync(file + ending, { force: true });
    },
  };
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
