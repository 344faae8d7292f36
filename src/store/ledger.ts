import type Database from "better-sqlite3";
import { type Actor, type AuditEvent, openAuditWriter } from "./audit.ts";
import { openFeed, openFeedWriter } from "./feed.ts";
import type { Identity } from "./identity.ts";
import { StoreError } from "./store-error.ts";

/** A change in the making. What has been written to the tables counts only with its `record`. */
interface Change {
  /** The revision that the change will have: one more than the last. */
  readonly revision: number;
  /** Writes the audit event, and the digests that followers drop from their caches: at least one, so that none is missing. */
  record(event: AuditEvent, digests: readonly [Buffer, ...Buffer[]]): void;
}

/** The only way in which anything in the store changes. */
export interface Ledger {
  /** The last revision; 0 before the first change. */
  revision(): number;
  /**
   * Runs `apply` in one transaction that holds the write lock from its beginning. All that it wrote is kept, or nothing
   * if it throws. At most one `record` per transaction; without one nothing was changed and no revision is used up.
   */
  transact<Result>(actor: Actor, atMs: number, apply: (change: Change) => Result): Result;
}

/** `isReplaced` says whether the path of the store leads to another file by now. */
export function openLedger(db: Database.Database, identity: Identity, isReplaced: () => boolean): Ledger {
  const feed = openFeed(db);
  const writeFeed = openFeedWriter(db);
  const writeAudit = openAuditWriter(db, identity);
  return {
    revision: () => feed.position().revision,
    transact: (actor, atMs, apply) => {
      const transaction = db.transaction(() => {
        const revision = feed.position().revision + 1;
        const result = apply({
          revision,
          record: (event, digests) => {
            writeAudit(revision, atMs, actor, event);
            writeFeed(revision, digests);
          },
        });
        // Last of all, so that nothing is kept, nor acknowledged, that the next start would not find.
        if (isReplaced()) throw new StoreError("wrong_file", new Error("the file has been replaced or removed"));
        return result;
      });
      return transaction.immediate();
    },
  };
}
