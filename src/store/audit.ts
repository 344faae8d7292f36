import type Database from "better-sqlite3";
import { type ChainPoint, chainHash, chainStart } from "./audit-chain.ts";
import type { Identity } from "./identity.ts";

/** Who asks for a change, and from where. */
export interface Actor {
  /**
   * "local" for the local admin socket, the id of an admin key, "certificate:" and the name by which a certificate is known,
   * or "oidc:" and the subject of a token.
   */
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
  /** Whose event it is; undefined: of no tenant, and shown to nobody who is bound to one. */
  readonly tenant: string | undefined;
  /** JSON values worth keeping. Never a secret, nor a digest. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Appends an event to the trail; part of the transaction of what it tells of. */
export type AuditWriter = (revision: number, atMs: number, actor: Actor, event: AuditEvent) => void;

/**
 * The end of the trail is written down beside it, so that a trail that was cut shows. What follows is bound to that place,
 * and not to the last row that is left: or the next event would close the gap.
 */
export function openAuditWriter(db: Database.Database, identity: Identity): AuditWriter {
  const last = db.prepare<[], ChainPoint>(
    `SELECT seq, lower(hex(hash)) AS hash FROM (
       SELECT seq, hash FROM audit_head UNION ALL SELECT * FROM (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)
     ) ORDER BY seq DESC LIMIT 1`,
  );
  const insert = db.prepare(
    `INSERT INTO audit (seq, revision, at_ms, actor, source, action, target, detail, previous_hash, hash)
     VALUES (@seq, @revision, @atMs, @actor, @source, @action, @target, @detail, unhex(@previousHash), unhex(@hash))`,
  );
  const setHead = db.prepare("REPLACE INTO audit_head (id, seq, hash) VALUES (1, @seq, unhex(@hash))");
  const start = chainStart(identity.uuid);
  return (revision, atMs, actor, { action, target, tenant, detail }) => {
    const before = last.get() ?? start;
    const told = JSON.stringify(tenant === undefined ? detail : { tenant, ...detail });
    const fields = { revision, atMs, actor: actor.name, source: actor.source, action, target, detail: told };
    const event = { seq: before.seq + 1, ...fields };
    const hash = chainHash(before.hash, event);
    insert.run({ ...event, previousHash: before.hash, hash });
    setHead.run({ seq: event.seq, hash });
  };
}
