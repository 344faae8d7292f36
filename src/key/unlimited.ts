import type { KeyRecord } from "./record.ts";

/** The record of a key that belongs to nobody, never ends, and is limited in nothing. It grants the scopes. */
export function unlimitedKey(id: string, scopes: readonly string[]): KeyRecord {
  return {
    id,
    tenant: undefined,
    owner: undefined,
    scopes,
    inheritsScopes: false,
    ownerLimits: undefined,
    paths: [],
    notBeforeMs: undefined,
    expiresAtMs: undefined,
    revoked: false,
    disabled: false,
    graceEndsAtMs: undefined,
    methods: [],
    networks: undefined,
    rateLimit: undefined,
    signed: false,
    revision: 0,
  };
}
