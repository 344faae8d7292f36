import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import type { Identity } from "./identity.ts";

/** Who asks for a change, and from where. */
export interface Actor {
  /** "local" for the local admin socket, else the id of the admin key. */
  readonly name: string;
  /** The client's address, or "local". */
  readonly source: string;
}

/** What was done. */
export interface AuditEvent {
  /** The table and what happened in it, such as "keys.create". */
  readonly action: string;
  /** The id of the record. */
  readonly target: string;
  /** JSON values worth keeping. Never a secret, nor a digest. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One row of the trail without its hashes, in the order in which the hash covers it. */
type AuditRow = readonly [
  seq: number,
  revision: number,
  atMs: number,
  actor: string,
  source: string,
  action: string,
  target: string,
  detail: string,
];

/** What stands before the first event: SHA-256 of the 36 ASCII characters of the store's uuid. */
function auditStart(identity: Identity): Buffer {
  return createHash("sha256").update(identity.uuid, "ascii").digest();
}

/**
 * SHA-256 over the previous row's 32 bytes and then, for each column from seq to detail, the length of its text in bytes
 * (4 bytes, big-endian) and the text in UTF-8; integers are written in decimal. Whoever changes, removes or inserts a row
 * has to change the hash of every row after it.
 */
function auditHash(previous: Buffer, row: AuditRow): Buffer {
  const hash = createHash("sha256").update(previous);
  for (const column of row) {
    const text = Buffer.from(String(column), "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    hash.update(length).update(text);
  }
  return hash.digest();
}

/** Appends an event to the trail; part of the transaction of the change that it describes. */
export function openAuditWriter(
  db: Database.Database,
  identity: Identity,
): (revision: number, atMs: number, actor: Actor, event: AuditEvent) => void {
  const last = db.prepare<[], { seq: number; hash: Buffer }>("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
  const insert = db.prepare(
    `INSERT INTO audit (seq, revision, at_ms, actor, source, action, target, detail, previous_hash, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const start = { seq: 0, hash: auditStart(identity) };
  return (revision, atMs, actor, event) => {
    const before = last.get() ?? start;
    const detail = JSON.stringify(event.detail);
    const row: AuditRow = [
      before.seq + 1,
      revision,
      atMs,
      actor.name,
      actor.source,
      event.action,
      event.target,
      detail,
    ];
    insert.run(...row, before.hash, auditHash(before.hash, row));
  };
}
