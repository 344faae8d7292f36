import { rmSync, statSync } from "node:fs";

/** A database file as it was opened, beside what its path leads to since. */
export interface WatchedFile {
  /** Whether the path leads to another file by now, or to none. What is read is then history, what is written is lost. */
  isReplaced(): boolean;
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
  const log = identityOf(`${file}-wal`);
  const hasLeftLog = () => {
    const there = identityOf(file);
    return there !== undefined && there !== opened && log !== undefined && identityOf(`${file}-wal`) === log;
  };
  return {
    isReplaced: () => identityOf(path) !== opened,
    hasLeftLog,
    discardLeftLog() {
      if (!hasLeftLog()) return;
      for (const ending of ["-wal", "-shm"]) rmSync(file + ending, { force: true });
    },
  };
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && `${stats.dev}:${stats.ino}`;
}
