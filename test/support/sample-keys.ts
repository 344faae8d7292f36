import { createHash } from "node:crypto";
import type { KeyRecord, KeyStore } from "../../src/key/record.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { digestOf } from "../store/support/keys.ts";

/** A well-formed secret, the same on every run and another for every name. */
export function secretOf(name: string, prefix = "kw"): string {
  return writeSecret(prefix, createHash("sha256").update(`sample ${name}`).digest());
}

/**
 * A text of the form of a signed key, the same on every run and another for every name. With another header, it is another's
 * token.
 */
export function tokenOf(
  name: string,
  header: object = { kid: "kwsk_0VbbtArB0BXOUue9abRF", typ: "JWT", alg: "ES256" },
): string {
  const signature = createHash("sha512").update(`signature ${name}`).digest("base64url");
  const [protectedHeader, claims] = [header, { sub: name }].map((part) => {
    return Buffer.from(JSON.stringify(part)).toString("base64url");
  });
  return `${protectedHeader}.${claims}.${signature}`;
}

/** A record that opens everything and asks nothing, but for what the test says of it. */
export function recordOf(more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: "key_sample",
    tenant: undefined,
    owner: undefined,
    scopes: [],
    paths: [],
    notBeforeMs: undefined,
    expiresAtMs: undefined,
    revoked: false,
    disabled: false,
    graceEndsAtMs: undefined,
    methods: [],
    networks: undefined,
    inheritsScopes: false,
    ownerLimits: undefined,
    rateLimit: undefined,
    signed: false,
    revision: 1,
    ...more,
  };
}

/** A store in memory: records by the secrets that open them. */
export function storeOf(records: Readonly<Record<string, KeyRecord>>): KeyStore {
  const byDigest = new Map(Object.entries(records).map(([secret, record]) => [digestOf(secret), record]));
  return { find: (digest) => byDigest.get(digest) };
}
