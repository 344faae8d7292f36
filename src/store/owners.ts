import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import { REVOKE_KEYS } from "./revocation.ts";
import { surfacing } from "./store-error.ts";
import { readTokens, writeTokens } from "./token-list.ts";
import { written } from "./written.ts";

/** Names an owner. The same name in another tenant, or in none, is another owner. */
export interface OwnerName {
  readonly tenant: string | undefined;
  /** `user/…`, `service/…` or `project/…`. */
  readonly name: string;
}

/** What an administrator says of an owner, and can change. Its bounds have been judged. */
export interface OwnerFields {
  readonly displayName: string;
  /** No key of the owner grants more. Unset: each grants what it was given. */
  readonly scopes: readonly string[] | undefined;
  /** Whether all its keys are refused. */
  readonly disabled: boolean;
}

/** All that is kept of an owner. */
export interface StoredOwner extends OwnerName, OwnerFields {
  readonly disabledAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  /** The store's revision in which it last changed. */
  readonly revision: number;
}

/** Which owners to list, in the order of tenants and names. */
interface OwnerFilter {
  readonly tenant?: string | undefined;
  /** Only those behind this one. */
  readonly after?: OwnerName | undefined;
  readonly limit: number;
}

/**
 * The owners that are registered. What changes with one, changes with all its keys: whoever follows the feed reads them
 * again. Every call throws StoreError where the store fails.
 */
export interface Owners {
  /** Registers an owner. StoreError `conflict` where it is there already. */
  createOwner(owner: OwnerName & OwnerFields, actor: Actor, nowMs: number): StoredOwner;
  ownerOf(owner: OwnerName): StoredOwner | undefined;
  listOwners(filter: OwnerFilter): StoredOwner[];
  /** Sets what administrators say of an owner. Undefined where it has changed since `ifRevision`. */
  updateOwner(
    owner: OwnerName,
    fields: OwnerFields,
    actor: Actor,
    nowMs: number,
    ifRevision: number,
  ): StoredOwner | undefined;
  /** Forgets an owner and revokes its keys. Returns how many; undefined where it has changed since `ifRevision`. */
  deleteOwner(owner: OwnerName, actor: Actor, nowMs: number, ifRevision: number): number | undefined;
  /** How many keys of the owner are not revoked. */
  standingKeysOf(owner: OwnerName): number;
  /** Every scope that those keys were given, each once. */
  scopesGivenTo(owner: OwnerName): readonly string[];
}

/** A row of `owners`. */
interface OwnerRow {
  readonly tenant: string;
  readonly name: string;
  readonly display_name: string;
  readonly scopes: string | null;
  readonly disabled_at_ms: number | null;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly updated_at_ms: number;
  readonly revision: number;
}

/** Whose keys: an owner's, in the same tenant. */
const ITS_KEYS = "owner = @name AND coalesce(tenant, '') = @tenant AND revoked_at_ms IS NULL";

export function openOwners(db: Database.Database, ledger: Ledger): Owners {
  const one = db.prepare<[object], OwnerRow>("SELECT * FROM owners WHERE tenant = @tenant AND name = @name");
  const list = db.prepare<[object], OwnerRow>(
    `SELECT * FROM owners
     WHERE (@tenant IS NULL OR tenant = @tenant) AND (tenant, name) > (@afterTenant, @afterName)
     ORDER BY tenant, name LIMIT @limit`,
  );
  const insert = db.prepare(
    `INSERT INTO owners (tenant, name, display_name, scopes, disabled_at_ms, created_at_ms, created_by, updated_at_ms,
       revision)
     VALUES (@tenant, @name, @displayName, @scopes, @disabledAtMs, @nowMs, @by, @nowMs, @revision)`,
  );
  const update = db.prepare(
    `UPDATE owners SET display_name = @displayName, scopes = @scopes, disabled_at_ms = @disabledAtMs,
       updated_at_ms = @nowMs, revision = @revision
     WHERE tenant = @tenant AND name = @name`,
  );
  const remove = db.prepare("DELETE FROM owners WHERE tenant = @tenant AND name = @name");
  const digests = db.prepare<[object], Buffer>(`SELECT digest FROM keys WHERE ${ITS_KEYS}`).pluck();
  const count = db.prepare<[object], number>(`SELECT count(*) FROM keys WHERE ${ITS_KEYS}`).pluck();
  const given = db.prepare<[object], string>(`SELECT DISTINCT scopes FROM keys WHERE ${ITS_KEYS}`).pluck();
  const revokeAll = db.prepare(`${REVOKE_KEYS} WHERE ${ITS_KEYS}`);

  /** A change of an owner without keys is one too, and the feed has an entry for each. */
  const touched = (key: Identity): [Buffer, ...Buffer[]] => [digestOf(key), ...digests.all(key)];

  return {
    createOwner: surfacing(db, (owner, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const key = identityOf(owner);
        const { displayName, scopes, disabled } = owner;
        const disabledAtMs = disabled ? nowMs : null;
        insert.run({ ...key, displayName, scopes: writeList(scopes), disabledAtMs, nowMs, by: actor.name, revision });
        record({ action: "owners.create", ...subjectOf(owner), detail: detailOf(owner) }, touched(key));
        return storedOwnerOf(written(one.get(key)));
      }),
    ),

    ownerOf: surfacing(db, (owner) => {
      const row = one.get(identityOf(owner));
      return row && storedOwnerOf(row);
    }),

    listOwners: surfacing(db, ({ tenant = null, after, limit }) => {
      const { tenant: afterTenant, name: afterName } = after === undefined ? BEFORE_ALL : identityOf(after);
      return list.all({ tenant, afterTenant, afterName, limit }).map(storedOwnerOf);
    }),

    updateOwner: surfacing(db, (owner, fields, actor, nowMs, ifRevision) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const key = identityOf(owner);
        const row = one.get(key);
        if (row?.revision !== ifRevision) return undefined;
        const { displayName, scopes, disabled } = fields;
        const disabledAtMs = disabled ? (row.disabled_at_ms ?? nowMs) : null;
        update.run({ ...key, displayName, scopes: writeList(scopes), disabledAtMs, nowMs, revision });
        const detail = { before: detailOf(storedOwnerOf(row)), after: detailOf(fields) };
        record({ action: "owners.update", ...subjectOf(owner), detail }, touched(key));
        return storedOwnerOf(written(one.get(key)));
      }),
    ),

    deleteOwner: surfacing(db, (owner, actor, nowMs, ifRevision) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const key = identityOf(owner);
        const row = one.get(key);
        if (row?.revision !== ifRevision) return undefined;
        const changed = touched(key);
        const reason = `the owner ${owner.name} was deleted`;
        const { changes } = revokeAll.run({ ...key, reason, nowMs, by: actor.name, revision });
        remove.run(key);
        record({ action: "owners.delete", ...subjectOf(owner), detail: { revokedKeys: changes } }, changed);
        return changes;
      }),
    ),

    standingKeysOf: surfacing(db, (owner) => count.get(identityOf(owner)) ?? 0),
    scopesGivenTo: surfacing(db, (owner) => [...new Set(given.all(identityOf(owner)).flatMap(readTokens))]),
  };
}

/** How the table names an owner. */
interface Identity {
  readonly tenant: string;
  readonly name: string;
}

const BEFORE_ALL: Identity = { tenant: "", name: "" };

function identityOf({ tenant = "", name }: OwnerName): Identity {
  return { tenant, name };
}

/** In the audit trail: a tenant holds no space, and neither does a name. */
function subjectOf({ tenant, name }: OwnerName) {
  return { target: tenant === undefined ? name : `${tenant} ${name}`, tenant };
}

/** Stands for the owner in the feed, among the digests of secrets: no secret holds a line break. */
function digestOf({ tenant, name }: Identity): Buffer {
  return hash("sha256", `owner\n${tenant}\n${name}`, "buffer");
}

function detailOf({ displayName, scopes, disabled }: OwnerFields) {
  return { displayName, scopes: scopes ?? null, disabled };
}

function writeList(scopes: readonly string[] | undefined): string | null {
  return scopes === undefined ? null : writeTokens(scopes);
}

function storedOwnerOf(row: OwnerRow): StoredOwner {
  return {
    tenant: row.tenant === "" ? undefined : row.tenant,
    name: row.name,
    displayName: row.display_name,
    scopes: row.scopes === null ? undefined : readTokens(row.scopes),
    disabled: row.disabled_at_ms !== null,
    disabledAtMs: row.disabled_at_ms ?? undefined,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at_ms,
    revision: row.revision,
  };
}
