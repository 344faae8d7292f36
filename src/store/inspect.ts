import { statSync } from "node:fs";
import type Database from "better-sqlite3";
import { APPLICATION_ID, readIdentity } from "./identity.ts";
import { readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { type RefusalCode, StoreRefusedError } from "./refusal.ts";
import { asStoreError, StoreError, type StoreErrorCode } from "./store-error.ts";

/** SQLite's default, with which our files are made: a whole file is a multiple of it. */
const PAGE_SIZE = 4096;

/** SQLite's smallest page: less is no database of anybody's, but the beginning of one. */
const SMALLEST_PAGE = 512;

/** Pragmas of every handle: a file that was tampered with must not run code of its own, nor pass as whole. */
export function harden(db: Database.Database): void {
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
}

/**
 * Judges the inside of the file, without writing; `check` is the pragma that reads it through. Throws StoreRefusedError for
 * what is not a whole store of ours, or of a newer schema.
 */
export function inspect(db: Database.Database, file: string, check: string): void {
  const found = Number(db.pragma("application_id", { simple: true }));
  if (found !== APPLICATION_ID) {
    const code = statSync(file).size < SMALLEST_PAGE ? "corrupt" : "foreign";
    throw new StoreRefusedError(code, file, { detail: `application_id ${found}` });
  }
  refuseNewerSchema(db, file);
  if (hasPartialPage(file)) throw new StoreRefusedError("corrupt", file, { detail: "the last page is incomplete" });
  if (readIdentity(db) === undefined) throw new StoreRefusedError("no_identity", file);
  const verdict = db.pragma(check, { simple: true });
  if (verdict !== "ok") throw new StoreRefusedError("corrupt", file, { detail: String(verdict) });
}

/** SQLite reads a cut page as if it ended in zeros. With a log beside it the page may be whole in there. */
function hasPartialPage(file: string): boolean {
  const cut = statSync(file).size % PAGE_SIZE !== 0;
  return cut && (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Throws StoreRefusedError where a newer program has written the file, which may mean more by it than is read here. */
export function refuseNewerSchema(db: Database.Database, file: string): void {
  const version = readSchemaVersion(db);
  if (version <= SCHEMA_VERSION) return;
  throw new StoreRefusedError("newer_schema", file, {
    detail: `it has ${version}, at most ${SCHEMA_VERSION} is known`,
  });
}

/** What SQLite says of the file while it is being opened, as a refusal where it is one. */
export function refusing<Opened>(file: string, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    const cause = asStoreError(error);
    const refusal = cause instanceof StoreError ? refusals[cause.code] : undefined;
    throw refusal === undefined ? cause : new StoreRefusedError(refusal, file, { cause });
  }
}

/** What SQLite finds out about a file only by opening it. The rest, such as "busy", says nothing about the file. */
const refusals: { readonly [Code in StoreErrorCode]?: RefusalCode } = {
  wrong_file: "not_sqlite",
  corrupt: "corrupt",
  read_only: "read_only",
};
