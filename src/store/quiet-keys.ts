import type Database from "better-sqlite3";
import { formatDuration } from "../config/duration.ts";
import type { Actor } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import { REVOKE_KEYS } from "./revocation.ts";
import { surfacing } from "./store-error.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** Keys that were rotated to end once nobody uses them any more. */
export interface QuietKeys {
  /**
   * Revokes the rotated keys that had not been used for as long as was asked for by `knownUntilMs`, up to when all uses are
   * known, each in a transaction of its own with its audit event. Returns their ids: at most so many a call.
   */
  endQuietKeys(knownUntilMs: number, nowMs: number): string[];
}

/** Who revokes them: no administrator does at that moment. */
const ACTOR: Actor = { name: "keyward", source: "local" };

/** So that administrators never wait long for it. The next call goes on. */
const MAX_A_CALL = 100;

interface Row {
  readonly id: string;
  readonly digest: Buffer;
  readonly tenant: string | null;
  readonly quiet_after_ms: number;
  readonly last_used_at_ms: number | null;
}

/** Not those whose grace period is over: they have ended already. */
const QUIET = `quiet_after_ms IS NOT NULL AND revoked_at_ms IS NULL AND rotated_at_ms IS NOT NULL
  AND (grace_ends_at_ms IS NULL OR grace_ends_at_ms > @nowMs)
  AND max(coalesce(last_used_at_ms, 0), rotated_at_ms) + quiet_after_ms <= @knownUntilMs`;

export function openQuietKeys(db: Database.Database, ledger: Ledger): QuietKeys {
  const quiet = db.prepare<[object], Row>(
    `SELECT id, digest, tenant, quiet_after_ms, last_used_at_ms FROM keys LEFT JOIN key_usage ON key_id = id
     WHERE ${QUIET} AND (@id IS NULL OR id = @id) LIMIT ${MAX_A_CALL}`,
  );
  const revoke = db.prepare(`${REVOKE_KEYS} WHERE id = @id`);
  const end = (id: string, knownUntilMs: number, nowMs: number) =>
    ledger.transact(ACTOR, nowMs, ({ revision, record }) => {
      // Under the lock: another program may have been faster.
      const row = quiet.get({ id, knownUntilMs, nowMs });
      if (row === undefined) return [];
      const reason = `rotated, and not used for ${formatDuration(row.quiet_after_ms)}`;
      revoke.run({ id, reason, nowMs, by: ACTOR.name, revision });
      const detail = { reason, lastUsedAtMs: row.last_used_at_ms };
      record({ action: "keys.revoke", target: id, tenant: row.tenant ?? undefined, detail }, [row.digest]);
      return [id];
    });
  return {
    endQuietKeys: surfacing(db, (knownUntilMs, nowMs) =>
      withoutWaiting(db, () =>
        quiet.all({ id: null, knownUntilMs, nowMs }).flatMap(({ id }) => end(id, knownUntilMs, nowMs)),
      ),
    ),
  };
}
