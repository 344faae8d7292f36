import { existsSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { openFeed, type Position } from "./feed.ts";
import { absolutePath, presentFile } from "./file.ts";
import { readIdentity } from "./identity.ts";
import { harden, inspect, refusing } from "./inspect.ts";
import { readSchemaVersion } from "./migrations.ts";
import { StoreRefusedError } from "./refusal.ts";

/** What a copy of a store is, which was found to be whole. */
export interface SoundCopy {
  /** Names the store: copies of one store have it in common. */
  readonly uuid: string;
  readonly schemaVersion: number;
  /** Where in the history of the store it stands. */
  readonly position: Position;
  readonly keys: number;
  readonly bytes: number;
}

/**
 * Reads a copy of a store through: every page and index, and that it says which store it is. Throws StoreRefusedError where it
 * is not a whole store of ours, or of a newer schema, or where a log lies beside it: that is part of it then.
 */
export function inspectCopy(path: string): SoundCopy {
  const file = presentFile(absolutePath(path));
  refuseLogBeside(file);
  return refusing(file, () => {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      harden(db);
      inspect(db, file, "integrity_check");
      return {
        uuid: readIdentity(db)?.uuid ?? "",
        schemaVersion: readSchemaVersion(db),
        position: openFeed(db).position(),
        keys: Number(db.prepare("SELECT count(*) FROM keys").pluck().get()),
        bytes: statSync(file).size,
      };
    } finally {
      db.close();
    }
  });
}

/** Throws where a log lies beside a file, that is part of what it holds. */
export function refuseLogBeside(file: string): void {
  const hasLog = [`${file}-wal`, `${file}-journal`].some((log) => existsSync(log) && statSync(log).size > 0);
  if (hasLog) throw new StoreRefusedError("has_log", file);
}
