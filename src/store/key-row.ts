import type { KeyRecord } from "../key/record.ts";
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
  readonly revision: number;
}

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
    revokedAtMs: row.revoked_at_ms ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
    revokeReason: row.revoke_reason ?? undefined,
  };
}
