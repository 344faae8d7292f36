import type { KeyRecord } from "../key/record.ts";
import { networksOf } from "./networks.ts";
import { readTokens } from "./token-list.ts";

/** All that is kept of a key, for those who administer it. */
export interface StoredKey extends KeyRecord {
  /** The prefix and the first eight characters of the secret. */
  readonly start: string;
  readonly name: string;
  readonly note: string;
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
  readonly revision: number;
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
  "revision",
] as const satisfies readonly (keyof KeyRecordRow)[];

/** A row of `keys`. */
export interface KeyRow extends KeyRecordRow {
  readonly digest: Buffer;
  readonly start: string;
  readonly name: string;
  readonly note: string;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly updated_at_ms: number;
  readonly revoked_by: string | null;
  readonly revoke_reason: string | null;
  readonly successor: string | null;
  readonly predecessor: string | null;
}

/** The key as the data plane judges it. */
export function keyRecordOf(row: KeyRecordRow): KeyRecord {
  return {
    id: row.id,
    tenant: row.tenant ?? undefined,
    owner: row.owner ?? undefined,
    scopes: readTokens(row.scopes),
    paths: readTokens(row.paths),
    notBeforeMs: row.not_before_ms ?? undefined,
    expiresAtMs: row.expires_at_ms ?? undefined,
    revoked: row.revoked_at_ms !== null,
    disabled: row.disabled_at_ms !== null,
    graceEndsAtMs: row.grace_ends_at_ms ?? undefined,
    methods: readTokens(row.methods),
    networks: networksOf(readTokens(row.cidrs)),
    revision: row.revision,
  };
}

/** The key as administrators see it. */
export function storedKeyOf(row: KeyRow): StoredKey {
  return {
    ...keyRecordOf(row),
    start: row.start,
    name: row.name,
    note: row.note,
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
  };
}
