import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import type { Identity } from "./identity.ts";
import type { Ledger } from "./ledger.ts";
import { type CopyOptions, copyOnline } from "./online-copy.ts";
import { asStoreError, StoreError } from "./store-error.ts";
import { createPrivate, discard, unfinishedBeside } from "./unfinished-file.ts";

/** A copy of the store, in a file beside it of mode 0600. */
interface Backup {
  readonly path: string;
  /** Removes it. Whoever has asked for it does so, or no other can be made. Doing so again does nothing. */
  discard(): void;
}

/** Copies of the store, made while it is in use. */
export interface Backups {
  /**
   * Copies the store. The copy is told of in the audit trail, and holds that. StoreError `full`, before anything is done,
   * where there is no room for it, and `busy` while there is another one.
   */
  makeBackup(actor: Actor, nowMs: number, options: CopyOptions): Promise<Backup>;
}

export function openBackups(db: Database.Database, ledger: Ledger, identity: Identity): Backups {
  let isThereOne = false;
  const note = (actor: Actor, nowMs: number) => {
    const event = { action: "system.backup", target: identity.uuid, tenant: undefined };
    ledger.annotate(actor, nowMs, (record) => record({ ...event, detail: { revision: ledger.revision() } }));
  };
  return {
    async makeBackup(actor, nowMs, options) {
      if (isThereOne) throw new StoreError("busy", new Error("another backup is being made"));
      isThereOne = true;
      let isDiscarded = false;
      const path = unfinishedBeside(db.name);
      const backup: Backup = {
        path,
        discard() {
          if (isDiscarded) return;
          isDiscarded = true;
          discard(path);
          isThereOne = false;
        },
      };
      try {
        requireRoom(db);
        note(actor, nowMs);
        createPrivate(path);
        await copyOnline(db, path, options);
        return backup;
      } catch (error) {
        backup.discard();
        throw db.open ? asStoreError(error) : new StoreError("closed", error);
      }
    },
  };
}

/** A copy that fills the disk would keep the store itself from being written. */
function requireRoom(db: Database.Database): void {
  const pages = Number(db.pragma("page_count", { simple: true }));
  const needed = pages * Number(db.pragma("page_size", { simple: true }));
  const { bavail, bsize } = statfsSync(dirname(db.name));
  const free = bavail * bsize;
  if (free < needed) throw new StoreError("full", new Error(`${needed} bytes are needed, ${free} are free`));
}
