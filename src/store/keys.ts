import type Database from "better-sqlite3";
import type { RateLimit } from "../key/record.ts";
import type { SigningAlg } from "../key/signing-alg.ts";
import type { KeyState } from "../key/state.ts";
import type { Actor } from "./audit.ts";
import { digestBytes } from "./digest.ts";
import { KEYS_WITH_USAGE, type KeyRow, type StoredKey, storedKeyOf } from "./key-row.ts";
import type { Ledger } from "./ledger.ts";
import { openRateCells } from "./rate-cells.ts";
import { REVOKE_KEYS } from "./revocation.ts";
import { openTokenEnds } from "./signing-keys.ts";
import { MAX_CANDIDATES, secretStartOf } from "./start.ts";
import { surfacing } from "./store-error.ts";
import { writeTokens } from "./token-list.ts";
import { written } from "./written.ts";

/** What an administrator says of a key, and can change. Its bounds have been judged. */
export interface KeyFields {
  readonly name: string;
  readonly note: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty where it inherits those of its owner. */
  readonly scopes: readonly string[];
  readonly inheritsScopes: boolean;
  readonly paths: readonly string[];
  readonly methods: readonly string[];
  readonly cidrs: readonly string[];
  readonly notBeforeMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  /** The store finds the cell for it. */
  readonly rateLimit?: Pick<RateLimit, "requests" | "windowMs"> | undefined;
}

/** What identifies a key. */
interface KeyIdentity {
  readonly id: string;
  /** SHA-256 of the whole secret, 64 lower-case hex digits. */
  readonly digest: string;
  /** The prefix, "_" and the first eight characters of the secret. */
  readonly start: string;
}

/** A key to be kept. The store looks only at what would make it unreadable. */
export interface NewKey extends KeyIdentity, KeyFields {
  readonly tenant?: string | undefined;
  readonly owner?: string | undefined;
  /** Unset: an opaque key. */
  readonly alg?: SigningAlg | undefined;
  /** The signing key of a signed key, which must be in use: StoreError `conflict`. */
  readonly signedBy?: string | undefined;
  /** Where it was imported from. Unset: it was made here. */
  readonly source?: string | undefined;
  /** Where it was imported: `digest` is the SHA-256 of the 64 bytes of the secret's SHA-512. Unset: that of the secret. */
  readonly hashing?: "sha512" | undefined;
  readonly disabled?: boolean | undefined;
}

/** How a caller made sure that a retry changes nothing twice. */
export interface RequestMark {
  readonly requestId: string;
  /** SHA-256 of what was asked for. */
  readonly fingerprint: Buffer;
}

/** How long a request id is remembered. */
const REQUEST_ID_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Why a key that was rotated without a grace period is revoked. */
export const NO_GRACE = "rotated without a grace period";

/** Whose keys are meant. What is left out does not narrow them. */
export interface KeysAmong {
  readonly owner?: string | undefined;
  /** Null: those without tenant only. */
  readonly tenant?: string | null | undefined;
}

/** Which keys to list. What is left out does not narrow the list. */
export interface KeyFilter extends KeysAmong {
  /** As of `nowMs`, with the meaning of `stateOf`. */
  readonly state?: KeyState | undefined;
  /** Not used for so long by `nowMs`; one that was never used, not made within that time either. */
  readonly unusedForMs?: number | undefined;
  readonly nowMs: number;
  /** Only ids after this one. */
  readonly afterId?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** The keys of the data plane, for those who administer them. Every call throws StoreError where the store fails. */
export interface Keys {
  /** Keeps a new key. StoreError `conflict` where its id or digest is there already. */
  createKey(key: NewKey, actor: Actor, nowMs: number, mark?: RequestMark): StoredKey;
  keyById(id: string): StoredKey | undefined;
  keyByDigest(digest: string): StoredKey | undefined;
  /**
   * The keys whose start, or first eight characters of the secret, is the text: at most MAX_CANDIDATES + 1 of those that are
   * meant, by id.
   */
  keysByStart(text: string, among?: KeysAmong): StoredKey[];
  /** Keys in the order of their ids. */
  listKeys(filter: KeyFilter): StoredKey[];
  /** How many of those that are meant open something, or will again: not revoked, and their end has not come. */
  countLiveKeys(among: KeysAmong & { readonly owner: string }, nowMs: number): number;
  /** Ends a key for good. One that has ended is returned as it stands, with nothing written; undefined: no such key. */
  revokeKey(id: string, reason: string, actor: Actor, nowMs: number): StoredKey | undefined;
  /** Sets what administrators say of a key. With `ifRevision`, undefined where the key has changed since. */
  updateKey(id: string, fields: KeyFields, actor: Actor, nowMs: number, ifRevision?: number): StoredKey | undefined;
  /** Refuses a key, or lets it open again. One that stands so already is returned as it is. */
  setKeyDisabled(id: string, disabled: boolean, actor: Actor, nowMs: number): StoredKey | undefined;
  /**
   * Keeps a successor with the same tenant and owner, and ends the old key at a time; where that is not in the future,
   * revokes it at once. With `quietAfterMs` it ends earlier where it has not been used for so long (`endQuietKeys`).
   * Undefined where the old key has changed since `ifRevision`.
   */
  rotateKey(
    id: string,
    successor: NewKey,
    graceEndsAtMs: number,
    actor: Actor,
    nowMs: number,
    ifRevision: number,
    mark?: RequestMark,
    quietAfterMs?: number,
  ): StoredKey | undefined;
  /** What an earlier request with this id led to. */
  requestOf(
    caller: string,
    requestId: string,
    nowMs: number,
  ): { readonly fingerprint: Buffer; readonly keyId: string } | undefined;
}

const STANDING = "revoked_at_ms IS NULL";
const EXPIRED = "(coalesce(expires_at_ms <= @nowMs, 0) OR coalesce(grace_ends_at_ms <= @nowMs, 0))";

/** `stateOf` in SQL; a test compares the two. */
const STATE_CONDITIONS: Readonly<Record<KeyState, string>> = {
  active: `${STANDING} AND disabled_at_ms IS NULL AND NOT ${EXPIRED} AND grace_ends_at_ms IS NULL`,
  rotated: `${STANDING} AND disabled_at_ms IS NULL AND NOT ${EXPIRED} AND grace_ends_at_ms IS NOT NULL`,
  disabled: `${STANDING} AND disabled_at_ms IS NOT NULL`,
  expired: `${STANDING} AND disabled_at_ms IS NULL AND ${EXPIRED}`,
  revoked: "revoked_at_ms IS NOT NULL",
};

export function openKeys(db: Database.Database, ledger: Ledger): Keys {
  const { insertKey, cellFor } = openKeyInsert(db);
  const byId = db.prepare<[string], KeyRow>(`SELECT * FROM ${KEYS_WITH_USAGE} WHERE id = ?`);
  const byDigest = db.prepare<[Buffer], KeyRow>(`SELECT * FROM ${KEYS_WITH_USAGE} WHERE digest = ?`);
  const byStart = db.prepare<[object], KeyRow>(
    `SELECT * FROM ${KEYS_WITH_USAGE}
     WHERE (start = @text OR secret_start = @text) AND (@ofAnyTenant OR tenant IS @tenant)
       AND (@owner IS NULL OR owner = @owner)
     ORDER BY id LIMIT ${MAX_CANDIDATES + 1}`,
  );
  const countLive = db
    .prepare<[object], number>(
      `SELECT count(*) FROM keys
       WHERE owner = @owner AND (@ofAnyTenant OR tenant IS @tenant) AND ${STANDING} AND NOT ${EXPIRED}`,
    )
    .pluck();
  const update = db.prepare(
    `UPDATE keys SET name = @name, note = @note, metadata = @metadata, scopes = @scopes, inherits_scopes = @inheritsScopes,
       paths = @paths, methods = @methods, cidrs = @cidrs, not_before_ms = @notBeforeMs, expires_at_ms = @expiresAtMs,
       rate_requests = @rateRequests, rate_window_ms = @rateWindowMs, rate_cell = @rateCell, updated_at_ms = @nowMs,
       revision = @revision
     WHERE id = @id`,
  );
  const setDisabled = db.prepare(
    "UPDATE keys SET disabled_at_ms = @disabledAtMs, updated_at_ms = @nowMs, revision = @revision WHERE id = @id",
  );
  const setRotated = db.prepare(
    `UPDATE keys SET grace_ends_at_ms = @graceEndsAtMs, quiet_after_ms = @quietAfterMs, rotated_at_ms = @nowMs,
       successor = @successor, updated_at_ms = @nowMs, revision = @revision
     WHERE id = @id`,
  );
  const forget = db.prepare<[number]>("DELETE FROM request_ids WHERE at_ms <= ?");
  const remember = db.prepare(
    "INSERT INTO request_ids (caller, request_id, fingerprint, key_id, at_ms) VALUES (?, ?, ?, ?, ?)",
  );
  const remembered = db.prepare<[string, string, number], { fingerprint: Buffer; key_id: string }>(
    "SELECT fingerprint, key_id FROM request_ids WHERE caller = ? AND request_id = ? AND at_ms > ?",
  );
  const revoke = db.prepare(`${REVOKE_KEYS} WHERE id = @id`);

  const rememberRequest = ({ requestId, fingerprint }: RequestMark, keyId: string, actor: Actor, nowMs: number) => {
    forget.run(nowMs - REQUEST_ID_LIFETIME_MS);
    remember.run(actor.name, requestId, fingerprint, keyId, nowMs);
  };

  return {
    createKey: surfacing(db, (key, actor, nowMs, mark) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const digest = insertKey(key, undefined, actor, nowMs, revision);
        const { tenant = null, owner = null } = key;
        record(
          {
            action: "keys.create",
            target: key.id,
            tenant: key.tenant,
            detail: { tenant, owner, ...signatureOf(key), ...detailOf(key) },
          },
          [digest],
        );
        if (mark !== undefined) rememberRequest(mark, key.id, actor, nowMs);
        return storedKeyOf(written(byId.get(key.id)));
      }),
    ),

    keyById: surfacing(db, (id) => {
      const row = byId.get(id);
      return row && storedKeyOf(row);
    }),
    keyByDigest: surfacing(db, (digest) => {
      const row = byDigest.get(digestBytes(digest));
      return row && storedKeyOf(row);
    }),
    keysByStart: surfacing(db, (text, among: KeysAmong = {}) =>
      byStart.all({ text, ...valuesOf(among) }).map(storedKeyOf),
    ),

    countLiveKeys: surfacing(db, (among, nowMs) => countLive.get({ ...valuesOf(among), nowMs }) ?? 0),

    listKeys: surfacing(db, ({ owner, tenant, state, unusedForMs, afterId, nowMs, limit }) => {
      const conditions = [
        "id > @afterId",
        ...(owner === undefined ? [] : ["owner = @owner"]),
        ...(tenant === undefined ? [] : ["tenant IS @tenant"]),
        ...(state === undefined ? [] : [STATE_CONDITIONS[state]]),
        ...(unusedForMs === undefined ? [] : ["coalesce(last_used_at_ms, created_at_ms) <= @nowMs - @unusedForMs"]),
      ];
      return db
        .prepare<[object], KeyRow>(
          `SELECT * FROM ${KEYS_WITH_USAGE} WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT @limit`,
        )
        .all({ afterId: afterId ?? "", owner, tenant, unusedForMs, nowMs, limit })
        .map(storedKeyOf);
    }),

    revokeKey: surfacing(db, (id, reason, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || row.revoked_at_ms !== null) return row && storedKeyOf(row);
        revoke.run({ id, reason, nowMs, by: actor.name, revision });
        record({ action: "keys.revoke", target: id, tenant: tenantOf(row), detail: { reason } }, [row.digest]);
        return storedKeyOf(written(byId.get(id)));
      }),
    ),

    updateKey: surfacing(db, (id, fields, actor, nowMs, ifRevision) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || (ifRevision !== undefined && row.revision !== ifRevision)) return undefined;
        update.run({ id, ...columnsOf(fields), rateCell: cellFor(fields, row), nowMs, revision });
        const detail = { before: detailOf(storedKeyOf(row)), after: detailOf(fields) };
        record({ action: "keys.update", target: id, tenant: tenantOf(row), detail }, [row.digest]);
        return storedKeyOf(written(byId.get(id)));
      }),
    ),

    setKeyDisabled: surfacing(db, (id, disabled, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || (row.disabled_at_ms !== null) === disabled) return row && storedKeyOf(row);
        setDisabled.run({ id, disabledAtMs: disabled ? nowMs : null, nowMs, revision });
        const action = disabled ? "keys.disable" : "keys.enable";
        record({ action, target: id, tenant: tenantOf(row), detail: {} }, [row.digest]);
        return storedKeyOf(written(byId.get(id)));
      }),
    ),

    rotateKey: surfacing(db, (id, successor, graceEndsAtMs, actor, nowMs, ifRevision, mark, quietAfterMs?: number) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const row = byId.get(id);
        if (row === undefined || row.revision !== ifRevision) return undefined;
        const digest = insertKey(successor, row, actor, nowMs, revision);
        const quiet = quietAfterMs === undefined ? {} : { quietAfterMs };
        setRotated.run({ id, graceEndsAtMs, quietAfterMs: null, ...quiet, successor: successor.id, nowMs, revision });
        // Were only the time kept, the key would open again where the clock is put back.
        if (graceEndsAtMs <= nowMs) revoke.run({ id, reason: NO_GRACE, nowMs, by: actor.name, revision });
        const { id: successorId, expiresAtMs = null } = successor;
        const detail = { successor: successorId, graceEndsAtMs, ...quiet, expiresAtMs, ...signatureOf(successor) };
        record({ action: "keys.rotate", target: id, tenant: tenantOf(row), detail }, [row.digest, digest]);
        if (mark !== undefined) rememberRequest(mark, successor.id, actor, nowMs);
        return storedKeyOf(written(byId.get(successor.id)));
      }),
    ),

    requestOf: surfacing(db, (caller, requestId, nowMs) => {
      const row = remembered.get(caller, requestId, nowMs - REQUEST_ID_LIFETIME_MS);
      return row && { fingerprint: row.fingerprint, keyId: row.key_id };
    }),
  };
}

/** Writes the row of a new key; part of the transaction of a change. */
export function openKeyInsert(db: Database.Database) {
  const nextCell = openRateCells(db);
  const raiseTokensEnd = openTokenEnds(db);
  const insert = db.prepare(
    `INSERT INTO keys (digest, id, start, secret_start, tenant, owner, alg, source, hashing, name, note, metadata, scopes,
       inherits_scopes, paths, methods, cidrs, not_before_ms, expires_at_ms, disabled_at_ms, rate_requests, rate_window_ms,
       rate_cell, created_at_ms, created_by, updated_at_ms, predecessor, revision)
     VALUES (@digest, @id, @start, @secretStart, @tenant, @owner, @alg, @source, @hashing, @name, @note, @metadata, @scopes,
       @inheritsScopes, @paths, @methods, @cidrs, @notBeforeMs, @expiresAtMs, @disabledAtMs, @rateRequests, @rateWindowMs,
       @rateCell, @nowMs, @by, @nowMs, @predecessor, @revision)`,
  );
  /**
   * A successor counts where its predecessor does: a rotation must not double what the two together may do. A cell is kept
   * when the limit is taken away: the next key would begin with what this one has used.
   */
  const cellFor = ({ rateLimit }: KeyFields, row: KeyRow | undefined) =>
    row?.rate_cell ?? (rateLimit === undefined ? null : nextCell());
  const insertKey = (key: NewKey, predecessor: KeyRow | undefined, actor: Actor, nowMs: number, revision: number) => {
    const { id, start, tenant = null, owner = null, alg = null, source = null, hashing = null } = key;
    const digest = digestBytes(key.digest);
    const secretStart = secretStartOf(start);
    const disabledAtMs = key.disabled ? nowMs : null;
    const origin = { source, hashing, disabledAtMs, predecessor: predecessor?.id ?? null };
    const identity = { digest, id, start, secretStart, tenant, owner, alg, ...origin };
    const rateCell = cellFor(key, predecessor);
    if (key.signedBy !== undefined) raiseTokensEnd(key.signedBy, key.expiresAtMs);
    insert.run({ ...identity, ...columnsOf(key), rateCell, nowMs, by: actor.name, revision });
    return digest;
  };
  return { insertKey, cellFor };
}

/** For `(@ofAnyTenant OR tenant IS @tenant)` and `@owner`. */
function valuesOf({ owner, tenant }: KeysAmong) {
  return { owner: owner ?? null, tenant: tenant ?? null, ofAnyTenant: Number(tenant === undefined) };
}

function columnsOf(fields: KeyFields) {
  const { name, note, metadata, scopes, inheritsScopes, paths, methods, cidrs, notBeforeMs, expiresAtMs } = fields;
  return {
    name,
    note,
    metadata: JSON.stringify(metadata),
    scopes: writeTokens(scopes),
    inheritsScopes: Number(inheritsScopes),
    paths: writeTokens(paths),
    methods: writeTokens(methods),
    cidrs: writeTokens(cidrs),
    notBeforeMs: notBeforeMs ?? null,
    expiresAtMs: expiresAtMs ?? null,
    rateRequests: fields.rateLimit?.requests ?? null,
    rateWindowMs: fields.rateLimit?.windowMs ?? null,
  };
}

/** What the audit trail keeps of a key: all but note and metadata, which may be long and are for people. */
function detailOf(fields: KeyFields) {
  const { name, scopes, inheritsScopes, paths, methods, cidrs, notBeforeMs, expiresAtMs, rateLimit } = fields;
  return {
    name,
    scopes: inheritsScopes ? "inherit" : scopes,
    paths,
    methods,
    cidrs,
    notBeforeMs: notBeforeMs ?? null,
    expiresAtMs: expiresAtMs ?? null,
    rateLimit: rateLimit === undefined ? null : { requests: rateLimit.requests, windowMs: rateLimit.windowMs },
  };
}

/** What has signed a signed key: should that become known to others, its keys have to be found. */
function signatureOf({ signedBy }: NewKey) {
  return signedBy === undefined ? {} : { signedBy };
}

/** Whose key it is. */
function tenantOf({ tenant }: KeyRow): string | undefined {
  return tenant ?? undefined;
}
