import type Database from "better-sqlite3";
import type { ForeignKeys } from "../key/record.ts";
import { surfacing } from "./store-error.ts";

/** Tells which keys of a store were made elsewhere. Reads it anew each time: not for the way of a check. */
export function openForeignKeys(db: Database.Database): () => ForeignKeys {
  const hasForeign = db.prepare<[], number>("SELECT EXISTS (SELECT 1 FROM keys WHERE source IS NOT NULL)").pluck();
  const hasSha512 = db.prepare<[], number>("SELECT EXISTS (SELECT 1 FROM keys WHERE hashing IS NOT NULL)").pluck();
  return surfacing(db, () => (hasSha512.get() === 1 ? "sha512" : hasForeign.get() === 1 ? "sha256" : "none"));
}
