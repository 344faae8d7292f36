import type Database from "better-sqlite3";
import type { Actor, AuditEvent } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import { surfacing } from "./store-error.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** Forgets keys that have ended. Every call throws StoreError where the store fails. */
export interface EndedKeys {
  /**
   * Forgets up to `limit` keys that were revoked or have expired before `beforeMs` and were not changed since, those that
   * ended first before others, with all that was noted down about them. Tells of each. Returns how many. StoreError `busy`, without waiting, where
   * another program holds the lock.
   */
  purgeEndedKeys(beforeMs: number, limit: number, actor: Actor, nowMs: number): number;
}

interface Row {
  readonly digest: Buffer;
  readonly id: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly owner: string | null;
  readonly ended_at_ms: number;
}

/** What else is kept about a key, by its id. */
const TABLES = ["key_usage", "key_sightings", "request_ids"];

export function openEndedKeys(db: Database.Database, ledger: Ledger): EndedKeys {
  const ended = db.prepare<[number, number], Row>(
    `SELECT digest, id, name, tenant, owner, ended_at_ms FROM keys
     WHERE ended_at_ms < ? ORDER BY ended_at_ms LIMIT ?`,
  );
  const remove = db.prepare<[Buffer]>("DELETE FROM keys WHERE digest = ?");
  // One statement for all of them: request_ids has to be read from end to end.
  const forget = TABLES.map((table) =>
    db.prepare<[string]>(`DELETE FROM ${table} WHERE key_id IN (SELECT value FROM json_each(?))`),
  );
  return {
    purgeEndedKeys: surfacing(db, (beforeMs, limit, actor, nowMs) =>
      withoutWaiting(db, () =>
        ledger.transact(actor, nowMs, ({ record }) => {
          const rows = ended.all(beforeMs, limit);
          const [first, ...others] = rows;
          if (first === undefined) return 0;
          for (const { digest } of rows) remove.run(digest);
          const ids = JSON.stringify(rows.map(({ id }) => id));
          for (const statement of forget) statement.run(ids);
          record([purgeOf(first), ...others.map(purgeOf)], [first.digest, ...others.map(({ digest }) => digest)]);
          return rows.length;
        }),
      ),
    ),
  };
}

function purgeOf({ id, name, tenant, owner, ended_at_ms }: Row): AuditEvent {
  const detail = { owner, name, endedAtMs: ended_at_ms };
  return { action: "keys.purge", target: id, tenant: tenant ?? undefined, detail };
}
