import { randomBytes, randomUUID } from "node:crypto";
import type Database from "better-sqlite3";

/**
 * "kwrd" in ASCII, in the file's header (https://sqlite.org/fileformat.html#application_id): tells our files from those
 * of other programs.
 */
export const APPLICATION_ID = 0x6b777264;

/** What makes one store this store and no other. */
export interface Identity {
  readonly uuid: string;
  readonly createdAtMs: number;
  /** 32 random bytes that sign page tokens, so that a token from another store or another program is recognised. */
  readonly pageTokenKey: Buffer;
}

/** Makes the database a store of its own. For a fresh schema; the random values never change afterwards. */
export function writeIdentity(db: Database.Database, nowMs: number): void {
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.prepare("INSERT INTO identity (id, uuid, created_at_ms, page_token_key) VALUES (1, ?, ?, ?)").run(
    randomUUID(),
    nowMs,
    randomBytes(32),
  );
}

/** The identity, or undefined where the row or its table is missing. */
export function readIdentity(db: Database.Database): Identity | undefined {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'identity'").get();
  if (table === undefined) return undefined;
  return db
    .prepare<[], Identity>(
      "SELECT uuid, created_at_ms AS createdAtMs, page_token_key AS pageTokenKey FROM identity WHERE id = 1",
    )
    .get();
}
