import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import { digestBytes } from "./digest.ts";
import type { Ledger } from "./ledger.ts";
import { MAX_CANDIDATES, secretStartOf } from "./start.ts";
import { surfacing } from "./store-error.ts";
import { readTokens, writeTokens } from "./token-list.ts";
import { written } from "./written.ts";

/** An admin key to be kept. */
export interface NewAdminKey {
  readonly id: string;
  /** SHA-256 of the whole secret, 64 lower-case hex digits. */
  readonly digest: string;
  /** "kwadm_" and the first eight characters of the secret. */
  readonly start: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** The only tenant that it sees. Unset: it sees all. */
  readonly tenant?: string | undefined;
}

/** All that is kept of an admin key. */
export interface StoredAdminKey {
  readonly id: string;
  readonly start: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tenant: string | undefined;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly revokedAtMs: number | undefined;
  readonly revokedBy: string | undefined;
  /** The store's revision in which it last changed. */
  readonly revision: number;
}

/** The keys of administrators, in a table of their own so that none ever opens the data plane. Throws StoreError. */
export interface AdminKeys {
  /** Keeps a new admin key. StoreError `conflict` where its id or digest is there already. */
  createAdminKey(key: NewAdminKey, actor: Actor, nowMs: number): StoredAdminKey;
  adminKeyById(id: string): StoredAdminKey | undefined;
  adminKeyByDigest(digest: string): StoredAdminKey | undefined;
  /** As keysByStart; with a tenant, only those that are bound to it. */
  adminKeysByStart(text: string, tenant?: string): StoredAdminKey[];
  /** All of them in the order of their ids, ended ones too; with a tenant, those that are bound to it. */
  listAdminKeys(tenant?: string): StoredAdminKey[];
  /** Ends an admin key for good. One that has ended is returned as it stands; undefined: no such key. */
  revokeAdminKey(id: string, actor: Actor, nowMs: number): StoredAdminKey | undefined;
}

/** A row of `admin_keys`. */
interface AdminKeyRow {
  readonly digest: Buffer;
  readonly id: string;
  readonly start: string;
  readonly name: string;
  readonly scopes: string;
  readonly tenant: string | null;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly revoked_at_ms: number | null;
  readonly revoked_by: string | null;
  readonly revision: number;
}

export function openAdminKeys(db: Database.Database, ledger: Ledger): AdminKeys {
  const byId = db.prepare<[string], AdminKeyRow>("SELECT * FROM admin_keys WHERE id = ?");
  const byDigest = db.prepare<[Buffer], AdminKeyRow>("SELECT * FROM admin_keys WHERE digest = ?");
  const byStart = db.prepare<[object], AdminKeyRow>(
    `SELECT * FROM admin_keys
     WHERE (start = @text OR secret_start = @text) AND (@tenant IS NULL OR tenant = @tenant)
     ORDER BY id LIMIT ${MAX_CANDIDATES + 1}`,
  );
  const all = db.prepare<[object], AdminKeyRow>(
    "SELECT * FROM admin_keys WHERE @tenant IS NULL OR tenant = @tenant ORDER BY id",
  );
  const insert = db.prepare(
    `INSERT INTO admin_keys (digest, id, start, secret_start, name, scopes, tenant, created_at_ms, created_by, revision)
     VALUES (@digest, @id, @start, @secretStart, @name, @scopes, @tenant, @nowMs, @by, @revision)`,
  );
  const revoke = db.prepare("UPDATE admin_keys SET revoked_at_ms = ?, revoked_by = ?, revision = ? WHERE id = ?");

  return {
    createAdminKey: surfacing(db, (key, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const { id, start, name, scopes, tenant = null } = key;
        const digest = digestBytes(key.digest);
        const kept = {
          digest,
          id,
          start,
          secretStart: secretStartOf(start),
          name,
          scopes: writeTokens(scopes),
          tenant,
        };
        insert.run({ ...kept, nowMs, by: actor.name, revision });
        const detail = { name, scopes, tenant };
        record({ action: "admin_keys.create", target: id, tenant: key.tenant, detail }, [digest]);
        return storedAdminKeyOf(written(byId.get(id)));
      }),
    ),

    adminKeyById: surfacing(db, (id) => {
      const row = byId.get(id);
      return row && storedAdminKeyOf(row);
    }),
    adminKeyByDigest: surfacing(db, (digest) => {
      const row = byDigest.get(digestBytes(digest));
      return row && storedAdminKeyOf(row);
    }),
    adminKeysByStart: surfacing(db, (text, tenant?: string) =>
      byStart.all({ text, tenant: tenant ?? null }).map(storedAdminKeyOf),
    ),
    listAdminKeys: surfacing(db, (tenant?: string) => all.all({ tenant: tenant ?? null }).map(storedAdminKeyOf)),

    revokeAdminKey: surfacing(db, (id, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || row.revoked_at_ms !== null) return row && storedAdminKeyOf(row);
        revoke.run(nowMs, actor.name, revision, id);
        record({ action: "admin_keys.revoke", target: id, tenant: row.tenant ?? undefined, detail: {} }, [row.digest]);
        return storedAdminKeyOf(written(byId.get(id)));
      }),
    ),
  };
}

function storedAdminKeyOf(row: AdminKeyRow): StoredAdminKey {
  return {
    id: row.id,
    start: row.start,
    name: row.name,
    scopes: readTokens(row.scopes),
    tenant: row.tenant ?? undefined,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
    revision: row.revision,
  };
}
