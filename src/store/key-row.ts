import type { KeyRecord, OwnerLimits, RateLimit } from "../key/record.ts";
import type { SigningAlg } from "../key/signing-alg.ts";
import { networksOf } from "./networks.ts";
import { createShared } from "./shared.ts";
import { readTokens } from "./token-list.ts";

/** All that is kept of a key, for those who administer it. */
export interface StoredKey extends KeyRecord {
  /** The prefix and the first eight characters of the secret. */
  readonly start: string;
  readonly name: string;
  readonly note: string;
  /** Free for the tools of administrators. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How the token is signed, as in JWS (RFC 7518 §3.1, RFC 8037). Unset: the key is an opaque one. */
  readonly alg: SigningAlg | undefined;
  /** Where it was imported from. Unset: it was made here. */
  readonly source: string | undefined;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly cidrs: readonly string[];
  readonly disabledAtMs: number | undefined;
  readonly successor: string | undefined;
  readonly predecessor: string | undefined;
  readonly revokedAtMs: number | undefined;
  readonly revokedBy: string | undefined;
  readonly revokeReason: string | undefined;
  /** After a rotation it ends once it has not been used for so long. Unset: it lasts for its grace period. */
  readonly quietAfterMs: number | undefined;
  /** How it was used, as far as that is written down. Unset: not at all. */
  readonly usage: KeyUsage | undefined;
}

/** How often a key was used, and the last time. */
interface KeyUsage {
  /** Requests that were allowed. */
  readonly count: number;
  readonly lastAtMs: number;
  /** Unset where the address was not known. */
  readonly lastIp: string | undefined;
}

/** The columns that a check needs. */
export interface KeyRecordRow {
  readonly id: string;
  readonly tenant: string | null;
  readonly owner: string | null;
  readonly scopes: string;
  readonly paths: string;
  readonly not_before_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly disabled_at_ms: number | null;
  readonly grace_ends_at_ms: number | null;
  readonly methods: string;
  readonly cidrs: string;
  readonly inherits_scopes: number;
  readonly rate_requests: number | null;
  readonly rate_window_ms: number | null;
  readonly rate_cell: number | null;
  readonly alg: SigningAlg | null;
  readonly revision: number;
  /** Null where nobody has registered the owner. */
  readonly owner_name: string | null;
  readonly owner_scopes: string | null;
  readonly owner_disabled_at_ms: number | null;
}

/** The names of those columns. */
export const KEY_RECORD_COLUMNS = [
  "id",
  "tenant",
  "owner",
  "scopes",
  "paths",
  "not_before_ms",
  "expires_at_ms",
  "revoked_at_ms",
  "disabled_at_ms",
  "grace_ends_at_ms",
  "methods",
  "cidrs",
  "inherits_scopes",
  "rate_requests",
  "rate_window_ms",
  "rate_cell",
  "alg",
  "revision",
  "owner_name",
  "owner_scopes",
  "owner_disabled_at_ms",
] as const satisfies readonly (keyof KeyRecordRow)[];

/** What is registered of the owners of keys, to be joined to these: an owner is one of a tenant, or of none. */
export const OWNERS_OF_KEYS = `LEFT JOIN (
    SELECT tenant AS owner_tenant, name AS owner_name, scopes AS owner_scopes, disabled_at_ms AS owner_disabled_at_ms
    FROM owners
  ) ON owner_name = owner AND owner_tenant = coalesce(tenant, '')`;

/** Keys with that and with how they are used, for those who administer them. */
export const KEYS_WITH_USAGE = `keys ${OWNERS_OF_KEYS} LEFT JOIN key_usage ON key_usage.key_id = keys.id`;

/** A row of `KEYS_WITH_USAGE`. */
export interface KeyRow extends KeyRecordRow {
  readonly digest: Buffer;
  readonly start: string;
  readonly name: string;
  readonly note: string;
  readonly metadata: string;
  readonly source: string | null;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly updated_at_ms: number;
  readonly revoked_by: string | null;
  readonly revoke_reason: string | null;
  readonly successor: string | null;
  readonly predecessor: string | null;
  readonly quiet_after_ms: number | null;
  /** Null, as the two below, where the key was not used. */
  readonly use_count: number | null;
  readonly last_used_at_ms: number | null;
  readonly last_used_ip: string | null;
}

/** The key as the data plane judges it. */
export function keyRecordOf(row: KeyRecordRow): KeyRecord {
  return {
    id: row.id,
    tenant: row.tenant === null ? undefined : shared(row.tenant),
    owner: row.owner === null ? undefined : shared(row.owner),
    scopes: readTokens(row.scopes),
    paths: readTokens(row.paths),
    notBeforeMs: row.not_before_ms ?? undefined,
    expiresAtMs: row.expires_at_ms ?? undefined,
    revoked: row.revoked_at_ms !== null,
    disabled: row.disabled_at_ms !== null,
    graceEndsAtMs: row.grace_ends_at_ms ?? undefined,
    methods: readTokens(row.methods),
    networks: networksOf(readTokens(row.cidrs)),
    inheritsScopes: row.inherits_scopes === 1,
    ownerLimits: ownerLimitsOf(row),
    rateLimit: rateLimitOf(row),
    signed: row.alg !== null,
    revision: row.revision,
  };
}

const shared = createShared((text) => text);

function ownerLimitsOf({ owner_name, owner_scopes, owner_disabled_at_ms }: KeyRecordRow): OwnerLimits | undefined {
  if (owner_name === null) return undefined;
  const scopes = owner_scopes === null ? undefined : readTokens(owner_scopes);
  return { disabled: owner_disabled_at_ms !== null, scopes };
}

function rateLimitOf({ rate_requests, rate_window_ms, rate_cell }: KeyRecordRow): RateLimit | undefined {
  if (rate_requests === null || rate_window_ms === null || rate_cell === null) return undefined;
  return { requests: rate_requests, windowMs: rate_window_ms, cell: rate_cell };
}

/** The key as administrators see it. */
export function storedKeyOf(row: KeyRow): StoredKey {
  return {
    ...keyRecordOf(row),
    start: row.start,
    name: row.name,
    note: row.note,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    alg: row.alg ?? undefined,
    source: row.source ?? undefined,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at_ms,
    cidrs: readTokens(row.cidrs),
    disabledAtMs: row.disabled_at_ms ?? undefined,
    successor: row.successor ?? undefined,
    predecessor: row.predecessor ?? undefined,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
    revokeReason: row.revoke_reason ?? undefined,
    quietAfterMs: row.quiet_after_ms ?? undefined,
    usage: usageOf(row),
  };
}

function usageOf({ use_count, last_used_at_ms, last_used_ip }: KeyRow): KeyUsage | undefined {
  if (use_count === null || last_used_at_ms === null) return undefined;
  return { count: use_count, lastAtMs: last_used_at_ms, lastIp: last_used_ip ?? undefined };
}
