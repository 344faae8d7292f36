import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Key, KeyFormat, KeyStateSchema } from "../../gen/keyward/admin/v1/key_pb.ts";

/** A key as the façade shows it. Times are whole seconds since 1970; null: it has none. */
export interface RestKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly owner: string | null;
  /** What the secret begins with. */
  readonly start: string;
  readonly scopes: readonly string[];
  readonly format: "opaque" | "jwt";
  readonly state: string;
  readonly created_at: number | null;
  /** Null: never. */
  readonly expires_at: number | null;
  /** Null: it has not been used, or nobody writes that down (`--mode admin` beside `--mode authz`). */
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
}

/** The record of a key, without its secret. */
export function restKeyOf(key: Key): RestKey {
  return {
    id: key.id,
    name: key.name,
    tenant: key.tenant,
    owner: key.owner || null,
    start: key.start,
    scopes: key.scopes,
    format: key.format === KeyFormat.JWT ? "jwt" : "opaque",
    state: KeyStateSchema.value[key.state]?.localName.toLowerCase() ?? "",
    created_at: secondsOf(key.createdAt),
    expires_at: secondsOf(key.expiresAt),
    last_used_at: secondsOf(key.lastUsedAt),
    revoked_at: secondsOf(key.revokedAt),
  };
}

/** A fraction of a second is left out: a key never seems to live longer than it does. */
function secondsOf(time: Timestamp | undefined): number | null {
  return time === undefined ? null : Math.floor(timestampMs(time) / 1000);
}
