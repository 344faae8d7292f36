import type Database from "better-sqlite3";

/**
 * The schema's history: the n-th entry leads from version n-1 to n, and `user_version` holds the last one applied. An
 * entry that has been released is never changed; what comes later is added at the end.
 *
 * Times are milliseconds since 1970. Digests are the 32 bytes of a SHA-256. Lists are tokens separated by one space.
 */
export const migrations: readonly string[] = [
  `
  -- Exactly one row, written when the file is made. Without it the file is not a store.
  CREATE TABLE identity (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    uuid           TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    page_token_key BLOB NOT NULL CHECK (length(page_token_key) = 32)
  ) STRICT;

  -- Looked up by digest on the way of a check, so the digest is where the row itself lies.
  CREATE TABLE keys (
    digest        BLOB PRIMARY KEY CHECK (length(digest) = 32),
    id            TEXT NOT NULL UNIQUE,
    start         TEXT NOT NULL,
    secret_start  TEXT NOT NULL,
    tenant        TEXT,
    owner         TEXT,
    name          TEXT NOT NULL,
    note          TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    paths         TEXT NOT NULL,
    not_before_ms INTEGER,
    expires_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    revoked_by    TEXT,
    revoke_reason TEXT,
    revision      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keys_by_start ON keys (start);
  CREATE INDEX keys_by_secret_start ON keys (secret_start);
  CREATE INDEX keys_by_owner ON keys (owner, id) WHERE owner IS NOT NULL;
  CREATE INDEX keys_by_tenant ON keys (tenant, id) WHERE tenant IS NOT NULL;

  CREATE TABLE admin_keys (
    digest        BLOB PRIMARY KEY CHECK (length(digest) = 32),
    id            TEXT NOT NULL UNIQUE,
    start         TEXT NOT NULL,
    secret_start  TEXT NOT NULL,
    name          TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    revoked_at_ms INTEGER,
    revoked_by    TEXT,
    revision      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Which digests each of the last revisions touched. Its last revision is the store's. The mark is drawn at random for
  -- each revision: a store that was put back may come to the same revision by another way.
  CREATE TABLE changes (
    revision INTEGER NOT NULL,
    mark     INTEGER NOT NULL,
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (revision, digest)
  ) STRICT, WITHOUT ROWID;

  -- Who did what, each row bound to the one before it by its hash (audit.ts).
  CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY,
    revision      INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    source        TEXT NOT NULL,
    action        TEXT NOT NULL,
    target        TEXT NOT NULL,
    detail        TEXT NOT NULL,
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash          BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;
  `,
  `
  -- Limits of a key, and the states between active and revoked.
  ALTER TABLE keys ADD COLUMN methods TEXT NOT NULL DEFAULT '';
  ALTER TABLE keys ADD COLUMN cidrs TEXT NOT NULL DEFAULT '';
  ALTER TABLE keys ADD COLUMN disabled_at_ms INTEGER;
  ALTER TABLE keys ADD COLUMN grace_ends_at_ms INTEGER;
  ALTER TABLE keys ADD COLUMN successor TEXT;
  ALTER TABLE keys ADD COLUMN predecessor TEXT;

  -- What a caller's request ids have led to, so that a retry does nothing twice.
  CREATE TABLE request_ids (
    caller      TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    key_id      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (caller, request_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_ids_by_time ON request_ids (at_ms);
  `,
  `
  -- Who keys belong to, where that is registered. A tenant of '' is none.
  CREATE TABLE owners (
    tenant         TEXT NOT NULL,
    name           TEXT NOT NULL,
    display_name   TEXT NOT NULL,
    -- The list to which the scopes of its keys are cut. NULL: they are not.
    scopes         TEXT,
    disabled_at_ms INTEGER,
    created_at_ms  INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    updated_at_ms  INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE keys ADD COLUMN inherits_scopes INTEGER NOT NULL DEFAULT 0;
  -- A JSON object of texts.
  ALTER TABLE keys ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE keys ADD COLUMN rate_requests INTEGER;
  ALTER TABLE keys ADD COLUMN rate_window_ms INTEGER;
  -- Where the requests are counted, in memory that check threads share. A key and its successor have one in common.
  ALTER TABLE keys ADD COLUMN rate_cell INTEGER;
  CREATE INDEX keys_by_rate_cell ON keys (rate_cell) WHERE rate_cell IS NOT NULL;
  -- How a signed key (JWT) is signed. NULL: the key is an opaque one.
  ALTER TABLE keys ADD COLUMN alg TEXT;

  -- The only tenant that the admin key sees. NULL: it sees all.
  ALTER TABLE admin_keys ADD COLUMN tenant TEXT;

  -- What signs keys. The private half is encrypted (signing-keys.ts), and gone once another key has taken its place.
  CREATE TABLE signing_keys (
    kid              TEXT PRIMARY KEY,
    alg              TEXT NOT NULL,
    public_jwk       TEXT NOT NULL,
    private_jwk      BLOB,
    created_at_ms    INTEGER NOT NULL,
    created_by       TEXT NOT NULL,
    retired_at_ms    INTEGER,
    -- When the last token ends that it has signed; 0 where it has signed none. NULL: one of them never ends.
    tokens_end_at_ms INTEGER DEFAULT 0,
    revision         INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX signing_keys_in_use ON signing_keys (alg) WHERE retired_at_ms IS NULL;
  `,
];

/** The version that this program reads and writes. */
export const SCHEMA_VERSION = migrations.length;

/** The version that the file has. */
export function readSchemaVersion(db: Database.Database): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/**
 * Brings the schema up to the last of the steps, each in a transaction of its own: a step is there entirely or not at
 * all. Two programs may do this at once, so the version is read again under the write lock.
 */
export function migrate(db: Database.Database, steps: readonly string[] = migrations): void {
  for (const [index, sql] of steps.entries()) {
    const apply = db.transaction(() => {
      if (readSchemaVersion(db) !== index) return;
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    });
    if (readSchemaVersion(db) <= index) apply.immediate();
  }
}
