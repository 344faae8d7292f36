import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Key,
  KeyFormat,
  KeySchema,
  KeyState,
  type RateLimitSchema,
  type SightingSchema,
} from "../../gen/keyward/admin/v1/key_pb.ts";
import type { RateLimit } from "../../key/record.ts";
import { stateOf } from "../../key/state.ts";
import type { StoredKey } from "../../store/key-row.ts";
import type { Sighting } from "../../usage/batch.ts";
import { etagOf } from "../etag.ts";

const STATES = {
  active: KeyState.ACTIVE,
  disabled: KeyState.DISABLED,
  expired: KeyState.EXPIRED,
  revoked: KeyState.REVOKED,
  rotated: KeyState.ROTATED,
} as const;

/** A stored key as the API shows it at a moment. */
export function keyMessage(key: StoredKey, nowMs: number): Key {
  return create(KeySchema, {
    id: key.id,
    start: key.start,
    tenant: key.tenant ?? "",
    owner: key.owner ?? "",
    name: key.name,
    note: key.note,
    scopes: [...key.scopes],
    paths: [...key.paths],
    ...optionalTime("notBefore", key.notBeforeMs),
    ...optionalTime("expiresAt", key.expiresAtMs),
    state: STATES[stateOf(key, nowMs)],
    createdAt: timestampFromMs(key.createdAtMs),
    createdBy: key.createdBy,
    updatedAt: timestampFromMs(key.updatedAtMs),
    ...optionalTime("revokedAt", key.revokedAtMs),
    revokedBy: key.revokedBy ?? "",
    revokeReason: key.revokeReason ?? "",
    revision: BigInt(key.revision),
    etag: etagOf(key),
    methods: [...key.methods],
    cidrs: [...key.cidrs],
    ...optionalTime("disabledAt", key.disabledAtMs),
    ...optionalTime("graceEndsAt", key.graceEndsAtMs),
    successor: key.successor ?? "",
    predecessor: key.predecessor ?? "",
    inheritScopes: key.inheritsScopes,
    metadata: { ...key.metadata },
    ...(key.rateLimit && { rateLimit: rateLimitMessage(key.rateLimit) }),
    format: key.alg === undefined ? KeyFormat.OPAQUE : KeyFormat.JWT,
    alg: key.alg ?? "",
    ...optionalTime("lastUsedAt", key.usage?.lastAtMs),
    lastUsedIp: key.usage?.lastIp ?? "",
    useCount: BigInt(key.usage?.count ?? 0),
    ...(key.quietAfterMs !== undefined && { untilQuiet: durationFromMs(key.quietAfterMs) }),
    source: key.source ?? "",
  });
}

function rateLimitMessage({ requests, windowMs }: RateLimit): MessageInitShape<typeof RateLimitSchema> {
  return { requests, window: durationFromMs(windowMs) };
}

/** From where, or by what, a key was used, as the API shows it. */
export function sightingMessage({ value, firstMs, lastMs }: Sighting): MessageInitShape<typeof SightingSchema> {
  return { value, firstSeenAt: timestampFromMs(firstMs), lastSeenAt: timestampFromMs(lastMs) };
}

/** A message field of a time that may be absent. */
export function optionalTime<Field extends string>(
  field: Field,
  ms: number | undefined,
): { [Key in Field]?: Timestamp } {
  return (ms === undefined ? {} : { [field]: timestampFromMs(ms) }) as { [Key in Field]?: Timestamp };
}
