import { createHash } from "node:crypto";
import Database from "better-sqlite3";

/** A row of the audit trail. */
export type AuditRow = Readonly<Record<string, string | number | Buffer>>;

/** The whole trail of a database, the oldest event first. */
export function auditRows(path: string): AuditRow[] {
  const db = new Database(path, { readonly: true });
  const columns = "seq, revision, at_ms, actor, source, action, target, detail, previous_hash, hash";
  const rows = db.prepare<[], AuditRow>(`SELECT ${columns} FROM audit ORDER BY seq`).all();
  db.close();
  return rows;
}

/** The chain's rule written a second time: the seq of the first row that breaks it, undefined where none does. */
export function firstBroken(uuid: string, rows: readonly AuditRow[]): unknown {
  let previous = createHash("sha256").update(uuid).digest();
  for (const row of rows) {
    const hash = createHash("sha256").update(previous);
    for (const column of ["seq", "revision", "at_ms", "actor", "source", "action", "target", "detail"]) {
      const text = Buffer.from(`${row[column]}`);
      hash.update(Buffer.from(text.length.toString(16).padStart(8, "0"), "hex")).update(text);
    }
    const expected = hash.digest();
    if (!previous.equals(row.previous_hash as Buffer) || !expected.equals(row.hash as Buffer)) return row.seq;
    previous = expected;
  }
  return undefined;
}
