import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import { digestBytes } from "./digest.ts";
import { type KeyRow, type StoredKey, storedKeyOf } from "./key-row.ts";
import type { Ledger } from "./ledger.ts";
import { MAX_CANDIDATES, secretStartOf } from "./start.ts";
import { surfacing } from "./store-error.ts";
import { writeTokens } from "./token-list.ts";

/** A key to be kept. Its bounds have been judged; the store looks only at what would make it unreadable. */
export interface NewKey {
  readonly id: string;
  /** SHA-256 of the whole secret, 64 lower-case hex digits. */
  readonly digest: string;
  /** The prefix, "_" and the first eight characters of the secret. */
  readonly start: string;
  readonly tenant?: string | undefined;
  readonly owner?: string | undefined;
  readonly name: string;
  readonly note: string;
  readonly scopes: readonly string[];
  readonly paths: readonly string[];
  readonly notBeforeMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
}

/** Which keys to list. What is left out does not narrow the list. */
export interface KeyFilter {
  readonly owner?: string | undefined;
  readonly tenant?: string | undefined;
  /** As of `nowMs`. A key is expired from its expiry on; a revoked one is revoked whatever its expiry. */
  readonly state?: "active" | "expired" | "revoked" | undefined;
  readonly nowMs: number;
  /** Only ids after this one. */
  readonly afterId?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** The keys of the data plane, for those who administer them. Every call throws StoreError where the store fails. */
export interface Keys {
  /** Keeps a new key. StoreError `conflict` where its id or digest is there already. */
  createKey(key: NewKey, actor: Actor, nowMs: number): StoredKey;
  keyById(id: string): StoredKey | undefined;
  keyByDigest(digest: string): StoredKey | undefined;
  /** The keys whose start, or first eight characters of the secret, is the text: at most MAX_CANDIDATES + 1, by id. */
  keysByStart(text: string): StoredKey[];
  /** Keys in the order of their ids. */
  listKeys(filter: KeyFilter): StoredKey[];
  /** Ends a key for good. One that has ended is returned as it stands, with nothing written; undefined: no such key. */
  revokeKey(id: string, reason: string, actor: Actor, nowMs: number): StoredKey | undefined;
}

const stateConditions = {
  active: "revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > @nowMs)",
  expired: "revoked_at_ms IS NULL AND expires_at_ms <= @nowMs",
  revoked: "revoked_at_ms IS NOT NULL",
} as const;

export function openKeys(db: Database.Database, ledger: Ledger): Keys {
  const byId = db.prepare<[string], KeyRow>("SELECT * FROM keys WHERE id = ?");
  const byDigest = db.prepare<[Buffer], KeyRow>("SELECT * FROM keys WHERE digest = ?");
  const byStart = db.prepare<[string, string, number], KeyRow>(
    "SELECT * FROM keys WHERE start = ? OR secret_start = ? ORDER BY id LIMIT ?",
  );
  const insert = db.prepare(
    `INSERT INTO keys (digest, id, start, secret_start, tenant, owner, name, note, scopes, paths, not_before_ms,
       expires_at_ms, created_at_ms, created_by, updated_at_ms, revision)
     VALUES (@digest, @id, @start, @secretStart, @tenant, @owner, @name, @note, @scopes, @paths, @notBeforeMs,
       @expiresAtMs, @nowMs, @by, @nowMs, @revision)`,
  );
  const revoke = db.prepare(
    `UPDATE keys SET revoked_at_ms = @nowMs, revoked_by = @by, revoke_reason = @reason, updated_at_ms = @nowMs,
       revision = @revision
     WHERE id = @id`,
  );

  return {
    createKey: surfacing(db, (key, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const digest = digestBytes(key.digest);
        const { id, name, start, scopes, paths } = key;
        const { tenant = null, owner = null, notBeforeMs = null, expiresAtMs = null } = key;
        insert.run({
          digest,
          id,
          start,
          secretStart: secretStartOf(start),
          tenant,
          owner,
          name,
          note: key.note,
          scopes: writeTokens(scopes),
          paths: writeTokens(paths),
          notBeforeMs,
          expiresAtMs,
          nowMs,
          by: actor.name,
          revision,
        });
        const detail = { name, tenant, owner, scopes, paths, notBeforeMs, expiresAtMs };
        record({ action: "keys.create", target: id, detail }, [digest]);
        return written(byId.get(id));
      }),
    ),

    keyById: surfacing(db, (id) => optional(byId.get(id))),
    keyByDigest: surfacing(db, (digest) => optional(byDigest.get(digestBytes(digest)))),
    keysByStart: surfacing(db, (text) => byStart.all(text, text, MAX_CANDIDATES + 1).map(storedKeyOf)),

    listKeys: surfacing(db, ({ owner, tenant, state, afterId, nowMs, limit }) => {
      const conditions = [
        "id > @afterId",
        ...(owner === undefined ? [] : ["owner = @owner"]),
        ...(tenant === undefined ? [] : ["tenant = @tenant"]),
        ...(state === undefined ? [] : [stateConditions[state]]),
      ];
      return db
        .prepare<[object], KeyRow>(`SELECT * FROM keys WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT @limit`)
        .all({ afterId: afterId ?? "", owner, tenant, nowMs, limit })
        .map(storedKeyOf);
    }),

    revokeKey: surfacing(db, (id, reason, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || row.revoked_at_ms !== null) return optional(row);
        revoke.run({ id, reason, nowMs, by: actor.name, revision });
        record({ action: "keys.revoke", target: id, detail: { reason } }, [row.digest]);
        return written(byId.get(id));
      }),
    ),
  };
}

function optional(row: KeyRow | undefined): StoredKey | undefined {
  return row && storedKeyOf(row);
}

/** The record as it will be read from now on, rather than as it was asked for. */
function written(row: KeyRow | undefined): StoredKey {
  if (row === undefined) throw new Error("a row just written cannot be read");
  return storedKeyOf(row);
}
