import type Database from "better-sqlite3";
import type { Actor, AuditEvent } from "./audit.ts";
import { EVERYTHING, openFeed, type Position } from "./feed.ts";
import type { Identity } from "./identity.ts";
import { openLedger } from "./ledger.ts";

/** What was closed in a restored store because it was closed in the one that it replaces. Keys by their ids. */
export interface CarriedOver {
  /** Revoked, or ended and forgotten. */
  readonly revoked: readonly string[];
  readonly disabled: readonly string[];
  /** With an earlier end, such as by a rotation. */
  readonly shortened: readonly string[];
  readonly disabledOwners: readonly string[];
  readonly revokedAdminKeys: readonly string[];
  /** Keys that only the replaced store has: they are unknown from now on. */
  readonly lost: number;
  /** Keys that only the backup has, where it is not known whether the other store ever had them: they open. */
  readonly unknown: readonly string[];
}

const NEVER = "9007199254740991";

/** What is compared, by table. A column that the other store's schema does not have yet is NULL. */
const COMPARED = {
  keys: [
    "digest",
    "revoked_at_ms",
    "revoked_by",
    "revoke_reason",
    "disabled_at_ms",
    "expires_at_ms",
    "grace_ends_at_ms",
  ],
  owners: ["tenant", "name", "disabled_at_ms"],
  admin_keys: ["digest", "revoked_at_ms", "revoked_by"],
} as const;

const KEYS = "keys k LEFT JOIN replaced_keys r USING (digest)";

/** How what was closed is closed here; `k` is the row of the restored store, `r` that of the replaced one. */
const CLOSINGS = {
  revoked: {
    action: "keys.revoke",
    from: KEYS,
    where: "k.revoked_at_ms IS NULL AND (r.revoked_at_ms IS NOT NULL OR (r.digest IS NULL AND @isDescendant))",
    set: `revoked_at_ms = coalesce(r.revoked_at_ms, @nowMs), revoked_by = coalesce(r.revoked_by, @by),
      revoke_reason = coalesce(r.revoke_reason, 'it had ended and was forgotten')`,
  },
  disabled: {
    action: "keys.disable",
    from: KEYS,
    where: "k.revoked_at_ms IS NULL AND k.disabled_at_ms IS NULL AND r.disabled_at_ms IS NOT NULL",
    set: "disabled_at_ms = r.disabled_at_ms",
  },
  shortened: {
    action: "keys.update",
    from: KEYS,
    where: `k.revoked_at_ms IS NULL AND (r.expires_at_ms < coalesce(k.expires_at_ms, ${NEVER})
      OR r.grace_ends_at_ms < coalesce(k.grace_ends_at_ms, ${NEVER}))`,
    set: `expires_at_ms = nullif(min(coalesce(r.expires_at_ms, ${NEVER}), coalesce(k.expires_at_ms, ${NEVER})), ${NEVER}),
      grace_ends_at_ms = nullif(min(coalesce(r.grace_ends_at_ms, ${NEVER}), coalesce(k.grace_ends_at_ms, ${NEVER})), ${NEVER})`,
  },
} as const;

/**
 * Closes in a restored store what was closed in the store that it replaces: revoked wins, whatever the backup says. Where the
 * other store went on from the backup's state, a key that it no longer has was purged after its end, and is revoked. All in
 * one transaction, with an event for each. Throws where the other store cannot be read.
 */
export function carryOver(
  db: Database.Database,
  identity: Identity,
  replaced: Database.Database,
  actor: Actor,
  nowMs: number,
): CarriedOver {
  for (const [table, columns] of Object.entries(COMPARED)) copyTable(replaced, db, table, columns);
  const isDescendant = Number(descendsFrom(replaced, openFeed(db).position()));
  return openLedger(db, identity, () => false).transact(actor, nowMs, ({ revision, record }) => {
    const values = { nowMs, revision, by: actor.name, isDescendant };
    const events: AuditEvent[] = [];
    const close = (name: keyof typeof CLOSINGS) => closeKeys(db, CLOSINGS[name], values, events);
    const result = {
      revoked: close("revoked"),
      disabled: close("disabled"),
      shortened: close("shortened"),
      disabledOwners: closeOwners(db, values, events),
      revokedAdminKeys: closeAdminKeys(db, values, events),
      lost: Number(
        pluck(db, "SELECT count(*) FROM replaced_keys r LEFT JOIN keys k USING (digest) WHERE k.digest IS NULL")[0],
      ),
      unknown: isDescendant
        ? []
        : pluck(db, `SELECT k.id FROM ${KEYS} WHERE r.digest IS NULL AND k.revoked_at_ms IS NULL`),
    };
    takeSigningKeys(replaced, db);
    const { lost, revoked } = result;
    const detail = { revoked: revoked.length, lost };
    record([{ action: "system.restore", target: identity.uuid, tenant: undefined, detail }, ...events], [EVERYTHING]);
    return result;
  });
}

interface Values {
  readonly nowMs: number;
  readonly revision: number;
  readonly by: string;
  readonly isDescendant: number;
}

interface KeyRow {
  readonly id: string;
  readonly tenant: string | null;
}

function closeKeys(
  db: Database.Database,
  { action, from, where, set }: (typeof CLOSINGS)[keyof typeof CLOSINGS],
  values: Values,
  events: AuditEvent[],
): string[] {
  const rows = db.prepare<[object], KeyRow & { digest: Buffer }>(
    `SELECT k.digest, k.id, k.tenant FROM ${from} WHERE ${where} ORDER BY k.id`,
  );
  const update = db.prepare(
    `UPDATE keys AS k SET updated_at_ms = @nowMs, revision = @revision, ${set}
     FROM (SELECT 1) LEFT JOIN replaced_keys r ON r.digest = @digest WHERE k.digest = @digest`,
  );
  return rows.all(values).map(({ digest, id, tenant }) => {
    update.run({ ...values, digest });
    events.push({ action, target: id, tenant: tenant ?? undefined, detail: { restored: true } });
    return id;
  });
}

function closeOwners(db: Database.Database, values: Values, events: AuditEvent[]): string[] {
  const rows = db.prepare<[object], { tenant: string; name: string }>(
    `UPDATE owners AS k SET disabled_at_ms = r.disabled_at_ms, updated_at_ms = @nowMs, revision = @revision
     FROM replaced_owners r WHERE r.tenant = k.tenant AND r.name = k.name
       AND k.disabled_at_ms IS NULL AND r.disabled_at_ms IS NOT NULL RETURNING tenant, name`,
  );
  return rows.all(values).map(({ tenant, name }) => {
    const target = tenant === "" ? name : `${tenant} ${name}`;
    events.push({
      action: "owners.update",
      target,
      tenant: tenant || undefined,
      detail: { disabled: true, restored: true },
    });
    return target;
  });
}

function closeAdminKeys(db: Database.Database, values: Values, events: AuditEvent[]): string[] {
  const rows = db.prepare<[object], KeyRow>(
    `UPDATE admin_keys AS k SET revoked_at_ms = r.revoked_at_ms, revoked_by = r.revoked_by, revision = @revision
     FROM replaced_admin_keys r WHERE r.digest = k.digest
       AND k.revoked_at_ms IS NULL AND r.revoked_at_ms IS NOT NULL RETURNING id, tenant`,
  );
  return rows.all(values).map(({ id, tenant }) => {
    events.push({ action: "admin_keys.revoke", target: id, tenant: tenant ?? undefined, detail: { restored: true } });
    return id;
  });
}

/** Those of the replaced store as they are: one that was withdrawn may be known to others, and must not sign again. */
function takeSigningKeys(from: Database.Database, to: Database.Database): void {
  const columns = columnsOf(to, "signing_keys");
  if (columnsOf(from, "signing_keys").length === 0) return;
  to.exec("DELETE FROM signing_keys");
  const insert = to.prepare(`INSERT INTO signing_keys (${columns}) VALUES (${columns.map(() => "?")})`);
  for (const row of rowsOf(from, "signing_keys", columns)) insert.run(row);
}

/** Whether a store went on from a position, as far as its feed reaches back. */
function descendsFrom(db: Database.Database, { revision, mark }: Position): boolean {
  if (revision === 0) return true;
  return db.prepare("SELECT 1 FROM changes WHERE revision = ? AND mark = ?").get(revision, mark) !== undefined;
}

/** Copies columns of a table to a temporary one of the other handle, `replaced_…`, with the first as its key. */
function copyTable(from: Database.Database, to: Database.Database, table: string, columns: readonly string[]): void {
  to.exec(`CREATE TEMP TABLE replaced_${table} (${columns})`);
  const insert = to.prepare(`INSERT INTO replaced_${table} VALUES (${columns.map(() => "?")})`);
  to.transaction(() => {
    for (const row of rowsOf(from, table, columns)) insert.run(row);
  })();
  to.exec(`CREATE INDEX temp.replaced_${table}_by_${columns[0]} ON replaced_${table} (${columns[0]})`);
}

function rowsOf(db: Database.Database, table: string, columns: readonly string[]): Iterable<unknown[]> {
  const there = columnsOf(db, table);
  if (there.length === 0) return [];
  const read = columns.map((column) => (there.includes(column) ? column : "NULL"));
  return db.prepare<[], unknown[]>(`SELECT ${read} FROM ${table}`).raw().iterate();
}

/** Empty where there is no such table. */
function columnsOf(db: Database.Database, table: string): string[] {
  return pluck(db, `SELECT name FROM pragma_table_info('${table}')`);
}

function pluck(db: Database.Database, sql: string): string[] {
  return db.prepare<[], string>(sql).pluck().all();
}
