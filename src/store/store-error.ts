import Database from "better-sqlite3";

/** What kept the store from answering, or from keeping a change. */
export type StoreErrorCode =
  | "busy"
  | "full"
  | "read_only"
  | "corrupt"
  | "io_error"
  | "conflict"
  | "wrong_file"
  | "closed"
  | "no_rate_cell"
  | "failed";

/** The start of SQLite's own result code (https://sqlite.org/rescode.html), and ours; the first that fits counts. */
const codes: readonly (readonly [string, StoreErrorCode])[] = [
  ["SQLITE_BUSY", "busy"],
  ["SQLITE_FULL", "full"],
  ["SQLITE_READONLY", "read_only"],
  ["SQLITE_CORRUPT", "corrupt"],
  ["SQLITE_IOERR", "io_error"],
  ["SQLITE_CANTOPEN", "io_error"],
  ["SQLITE_CONSTRAINT", "conflict"],
  ["SQLITE_NOTADB", "wrong_file"],
];

/**
 * The store could not do what was asked, and has done nothing of it. `conflict`: an id or digest is there already.
 * `no_rate_cell`: as many keys have a rate limit as can have one. The `cause` is SQLite's own error.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, cause: unknown) {
    super(`store: ${code}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.code = code;
  }
}

/** SQLite's error as a StoreError; every other error as it is. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const known = codes.find(([start]) => error.code.startsWith(start));
  return new StoreError(known?.[1] ?? "failed", error);
}

/** The function on this handle, with what SQLite throws turned into StoreErrors. */
export function surfacing<Args extends unknown[], Result>(
  db: Database.Database,
  call: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      throw db.open ? asStoreError(error) : new StoreError("closed", error);
    }
  };
}
