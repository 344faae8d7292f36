import type Database from "better-sqlite3";
import { type Actor, type AuditEvent, openAuditWriter } from "./audit.ts";
import { openFeed, openFeedWriter } from "./feed.ts";
import type { Identity } from "./identity.ts";
import { readSchemaVersion, SCHEMA_VERSION } from "./migrations.ts";
import { StoreError } from "./store-error.ts";

/** A change in the making. What has been written to the tables counts only with its `record`. */
interface Change {
  /** The revision that the change will have: one more than the last. */
  readonly revision: number;
  /** Writes the audit events, and the digests that followers drop from their caches: at least one, so that none is missing. */
  record(events: AuditEvent | readonly [AuditEvent, ...AuditEvent[]], digests: readonly [Buffer, ...Buffer[]]): void;
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
  /** The same for what changes no record: it takes no revision, nobody has to follow it, and its events may be none or many. */
  annotate<Result>(actor: Actor, atMs: number, apply: (record: (event: AuditEvent) => void) => Result): Result;
}

/** `isCutOff` says whether what is written now would be found by nobody who opens the store's path. */
export function openLedger(db: Database.Database, identity: Identity, isCutOff: () => boolean): Ledger {
  const feed = openFeed(db);
  const writeFeed = openFeedWriter(db);
  const writeAudit = openAuditWriter(db, identity);
  const revisionNow = () => feed.position().revision;

  const inTransaction = <Result>(apply: () => Result): Result => {
    const transaction = db.transaction(() => {
      if (readSchemaVersion(db) > SCHEMA_VERSION) {
        throw new StoreError("wrong_file", new Error("a newer program has taken the file over"));
      }
      const result = apply();
      // Last of all, so that nothing is kept, nor acknowledged, that the next start would not find.
      if (isCutOff()) throw new StoreError("wrong_file", new Error("the file or its log has been replaced or removed"));
      return result;
    });
    return transaction.immediate();
  };

  return {
    revision: revisionNow,
    transact: (actor, atMs, apply) =>
      inTransaction(() => {
        const revision = revisionNow() + 1;
        return apply({
          revision,
          record: (events, digests) => {
            for (const event of [events].flat()) writeAudit(revision, atMs, actor, event);
            writeFeed(revision, digests);
          },
        });
      }),
    annotate: (actor, atMs, apply) =>
      inTransaction(() => apply((event) => writeAudit(revisionNow(), atMs, actor, event))),
  };
}
