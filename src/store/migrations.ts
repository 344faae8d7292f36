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
  `
  -- How keys are used: written in batches, and no change of a key.
  CREATE TABLE key_usage (
    key_id          TEXT PRIMARY KEY,
    use_count       INTEGER NOT NULL,
    last_used_at_ms INTEGER NOT NULL,
    last_used_ip    TEXT
  ) STRICT, WITHOUT ROWID;

  -- From where, and by what.
  CREATE TABLE key_sightings (
    key_id           TEXT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('network', 'user_agent')),
    value            TEXT NOT NULL,
    first_seen_at_ms INTEGER NOT NULL,
    last_seen_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (key_id, kind, value)
  ) STRICT, WITHOUT ROWID;

  -- Which batch of each check thread was written down last, so that one that is sent again is not counted again.
  CREATE TABLE usage_sources (
    source TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- After a rotation the key ends once it has not been used for so long, within its grace period.
  ALTER TABLE keys ADD COLUMN quiet_after_ms INTEGER;
  -- When that rotation was. NULL: it was not rotated, or in a time that did not note it.
  ALTER TABLE keys ADD COLUMN rotated_at_ms INTEGER;
  CREATE INDEX keys_by_quiet ON keys (quiet_after_ms) WHERE quiet_after_ms IS NOT NULL AND revoked_at_ms IS NULL;

  -- Where a key came from that was not made here, and how its secret was hashed there. NULL: SHA-256.
  ALTER TABLE keys ADD COLUMN source TEXT;
  ALTER TABLE keys ADD COLUMN hashing TEXT CHECK (hashing = 'sha512');
  CREATE INDEX keys_by_source ON keys (source) WHERE source IS NOT NULL;
  CREATE INDEX keys_by_hashing ON keys (hashing) WHERE hashing IS NOT NULL;

  -- Keys that are on their way in, until all of an import are there.
  CREATE TABLE imports (
    id            TEXT PRIMARY KEY,
    caller        TEXT NOT NULL,
    source        TEXT NOT NULL,
    key_count     INTEGER NOT NULL,
    refused_count INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    touched_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE import_rows (
    import_id TEXT NOT NULL,
    digest    BLOB NOT NULL CHECK (length(digest) = 32),
    line      INTEGER NOT NULL,
    -- The key as a JSON object.
    fields    TEXT NOT NULL,
    PRIMARY KEY (import_id, digest)
  ) STRICT, WITHOUT ROWID;

  -- The last row of the audit trail that was purged: what is left begins behind it.
  CREATE TABLE audit_purged (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;

  -- The last row of the audit trail, so that one that was cut off is missed.
  CREATE TABLE audit_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;
  INSERT INTO audit_head (id, seq, hash) SELECT 1, seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

  -- Whose event it is, from what its hash covers: the detail, or of older events the name of the owner.
  ALTER TABLE audit ADD COLUMN tenant TEXT GENERATED ALWAYS AS (
    CASE
      WHEN NOT json_valid(detail) THEN NULL
      WHEN json_type(detail, '$.tenant') = 'text' THEN json_extract(detail, '$.tenant')
      WHEN action LIKE 'owners.%' AND instr(target, ' ') > 1 THEN substr(target, 1, instr(target, ' ') - 1)
    END
  ) VIRTUAL;
  CREATE INDEX audit_by_tenant ON audit (tenant) WHERE tenant IS NOT NULL;
  CREATE INDEX audit_by_target ON audit (target);

  -- When the key ended or will, but not before its last change. NULL: it has no end.
  ALTER TABLE keys ADD COLUMN ended_at_ms INTEGER GENERATED ALWAYS AS (
    max(updated_at_ms, nullif(min(
      coalesce(revoked_at_ms, 9007199254740991),
      coalesce(expires_at_ms, 9007199254740991),
      coalesce(grace_ends_at_ms, 9007199254740991)
    ), 9007199254740991))
  ) VIRTUAL;
  CREATE INDEX keys_by_end ON keys (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
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
