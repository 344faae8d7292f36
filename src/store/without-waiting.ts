import type Database from "better-sqlite3";

/**
 * Does what can wait while administrators cannot: where another program holds the lock, it fails at once with SQLITE_BUSY,
 * and the thread does not stand still.
 */
export function withoutWaiting<Result>(db: Database.Database, work: () => Result): Result {
  const before = Number(db.pragma("busy_timeout", { simple: true }));
  db.pragma("busy_timeout = 0");
  try {
    return work();
  } finally {
    db.pragma(`busy_timeout = ${before}`);
  }
}
