import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import { digestBytes } from "./digest.ts";
import { type NewKey, openKeyInsert } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { surfacing } from "./store-error.ts";

/** A key on its way in. It has no id before it is made. */
export interface ImportRow extends Omit<NewKey, "id" | "signedBy" | "alg" | "source"> {
  /** Where it stands in its source. */
  readonly line: number;
}

/** An import in progress. */
export interface Import {
  readonly id: string;
  readonly source: string;
  /** What has come so far, refused keys included. */
  readonly keyCount: number;
  readonly refusedCount: number;
  readonly bytes: number;
}

/** What a call adds to an import. */
interface ImportBatch {
  readonly rows: readonly ImportRow[];
  /** How many keys the call brought that are not among the rows. */
  readonly refusedCount: number;
}

/** What came of making the keys of an import. */
interface ImportResult {
  readonly importedCount: number;
  /** Lines of keys whose secret opens another one by now, so many of them as are named; if any, nothing was made. */
  readonly taken: readonly number[];
  readonly takenCount: number;
}

/** Keys that come in many calls and are made in one transaction. Every call throws StoreError where the store fails. */
export interface Imports {
  /** Begins an import and gives up those that nobody has continued since `abandonedBeforeMs`. */
  beginImport(id: string, source: string, actor: Actor, nowMs: number, abandonedBeforeMs: number): Import;
  /** How many imports a caller has in progress. */
  importsOf(caller: string): number;
  /** An import that the caller has begun; undefined: there is none. */
  importOf(id: string, caller: string): Import | undefined;
  /**
   * Keeps rows until they are made. Returns which of them were not kept, because a key or an earlier row has the digest;
   * those are counted as refused.
   */
  stageImport(id: string, batch: ImportBatch, nowMs: number): { readonly import: Import; readonly taken: ImportRow[] };
  /** Makes the keys, all of them or none, and forgets the import. `writeId` draws the id of each. */
  commitImport(id: string, writeId: () => string, actor: Actor, nowMs: number): ImportResult;
  /** The same without making anything. */
  previewImport(id: string): ImportResult;
  /** Forgets an import. */
  dropImport(id: string): void;
}

/** How many lines a result names; a file is mended long before a thousandth has been read. */
const MAX_NAMED = 1_000;

export function openImports(db: Database.Database, ledger: Ledger): Imports {
  const { insertKey } = openKeyInsert(db);
  const columns = `id, source, key_count AS keyCount, refused_count AS refusedCount, bytes`;
  const byId = db.prepare<[string], Import>(`SELECT ${columns} FROM imports WHERE id = ?`);
  const byIdAndCaller = db.prepare<[string, string], Import>(
    `SELECT ${columns} FROM imports WHERE id = ? AND caller = ?`,
  );
  const count = db.prepare<[string], number>("SELECT count(*) FROM imports WHERE caller = ?").pluck();
  const abandoned = db.prepare<[number], string>("SELECT id FROM imports WHERE touched_at_ms < ?").pluck();
  const begin = db.prepare("INSERT INTO imports VALUES (@id, @caller, @source, 0, 0, 0, @nowMs)");
  const add = db.prepare(
    `UPDATE imports SET key_count = key_count + @keys, refused_count = refused_count + @refused, bytes = bytes + @bytes,
       touched_at_ms = @nowMs
     WHERE id = @id`,
  );
  const forget = db.prepare<[string]>("DELETE FROM imports WHERE id = ?");
  const forgetRows = db.prepare<[string]>("DELETE FROM import_rows WHERE import_id = ?");
  // The digest of an admin key is taken as well: on the data plane it must open nothing.
  const taken = db
    .prepare<[{ digest: Buffer }], 1>(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM keys WHERE digest = @digest)
         OR EXISTS (SELECT 1 FROM admin_keys WHERE digest = @digest)`,
    )
    .pluck();
  // Within the import, the first row stays.
  const stage = db.prepare<[string, Buffer, number, string]>(
    "INSERT INTO import_rows VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const takenRows = db
    .prepare<[string], number>(
      `SELECT line FROM import_rows AS row WHERE import_id = ?
         AND (EXISTS (SELECT 1 FROM keys WHERE keys.digest = row.digest)
           OR EXISTS (SELECT 1 FROM admin_keys WHERE admin_keys.digest = row.digest))
       ORDER BY line`,
    )
    .pluck();
  const rows = db.prepare<[string], { digest: Buffer; fields: string }>(
    "SELECT digest, fields FROM import_rows WHERE import_id = ? ORDER BY line",
  );

  const drop = (id: string) => {
    forgetRows.run(id);
    forget.run(id);
  };
  const known = (id: string): Import => {
    const found = byId.get(id);
    if (found === undefined) throw new Error("an import was used that is over");
    return found;
  };
  const judge = (id: string): ImportResult => {
    const lines = takenRows.all(id);
    const { keyCount, refusedCount } = known(id);
    const isWhole = lines.length === 0 && refusedCount === 0;
    const importedCount = isWhole ? keyCount : 0;
    return { importedCount, taken: lines.slice(0, MAX_NAMED), takenCount: lines.length };
  };
  const beginAll = db.transaction(
    (id: string, source: string, caller: string, nowMs: number, abandonedBeforeMs: number) => {
      for (const old of abandoned.all(abandonedBeforeMs)) drop(old);
      begin.run({ id, caller, source, nowMs });
    },
  );
  const stageAll = db.transaction((id: string, { rows: batch, refusedCount }: ImportBatch, nowMs: number) => {
    const refused: ImportRow[] = [];
    let bytes = 0;
    for (const row of batch) {
      const { digest: hex, line, ...fields } = row;
      const digest = digestBytes(hex);
      const text = JSON.stringify(fields);
      const isKept = taken.get({ digest }) === undefined && stage.run(id, digest, line, text).changes === 1;
      if (isKept) bytes += text.length;
      else refused.push(row);
    }
    add.run({ id, keys: batch.length + refusedCount, refused: refusedCount + refused.length, bytes, nowMs });
    return refused;
  });
  const dropAll = db.transaction(drop);

  return {
    beginImport: surfacing(db, (id, source, actor, nowMs, abandonedBeforeMs) => {
      beginAll.immediate(id, source, actor.name, nowMs, abandonedBeforeMs);
      return known(id);
    }),
    importsOf: surfacing(db, (caller) => count.get(caller) ?? 0),
    importOf: surfacing(db, (id, caller) => byIdAndCaller.get(id, caller)),
    stageImport: surfacing(db, (id, batch, nowMs) => {
      const refused = stageAll.immediate(id, batch, nowMs);
      return { import: known(id), taken: refused };
    }),
    previewImport: surfacing(db, judge),
    dropImport: surfacing(db, (id) => dropAll.immediate(id)),

    commitImport: surfacing(db, (id, writeId, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const result = judge(id);
        const { source } = known(id);
        const digests: Buffer[] = [];
        const perTenant = new Map<string | undefined, number>();
        if (result.importedCount > 0) {
          for (const { digest, fields } of rows.all(id)) {
            const key = JSON.parse(fields) as Omit<ImportRow, "digest" | "line">;
            insertKey(
              { ...key, digest: digest.toString("hex"), id: writeId(), source },
              undefined,
              actor,
              nowMs,
              revision,
            );
            digests.push(digest);
            perTenant.set(key.tenant, (perTenant.get(key.tenant) ?? 0) + 1);
          }
        }
        drop(id);
        const [first, ...others] = digests;
        // One event for each tenant: the keys themselves have its revision.
        const [event, ...events] = [...perTenant].map(([tenant, keys]) => {
          return { action: "keys.import", target: id, tenant, detail: { source, keys } };
        });
        if (first !== undefined && event !== undefined) record([event, ...events], [first, ...others]);
        return result;
      }),
    ),
  };
}
