import { randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { writeSecret } from "../../src/key/secret.ts";
import { secretDigest } from "../../src/store/digest.ts";
import { openStore } from "../../src/store/store.ts";

/** A database with so many keys, and the secrets of some of them. */
export interface KeyFile {
  readonly path: string;
  readonly keys: number;
  readonly secrets: readonly string[];
}

/** Enough that asking for one after the other finds none of them in a small cache. */
const KNOWN_SECRETS = 1_000;

/** Nobody needs what a crash would break, and the indices of a million keys fit into so many KiB. */
const UNSAFE_AND_FAST = ["journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"];

/**
 * Makes a database of `keys` keys, each of its own, all alike but for digest, id and start: `acme`'s, two scopes, one
 * path. The first is made by the store, the others are copies of its row, so that a million takes seconds.
 */
export function writeKeyFile(folder: string, keys: number): KeyFile {
  const path = join(folder, `keys-${keys}.db`);
  const secrets = Array.from({ length: Math.min(keys, KNOWN_SECRETS) }, () => writeSecret("kw", randomBytes(32)));
  const [first = "", ...others] = secrets;
  const store = openStore(path);
  const lists = { scopes: ["api:read", "api:write"], inheritsScopes: false, paths: ["/v1"], methods: [], cidrs: [] };
  const start = first.slice(0, 11);
  const identity = { id: idOf(0), digest: secretDigest(first), start, tenant: "acme", owner: "service/ci" };
  const life = { expiresAtMs: Date.now() + 365 * 86_400_000 };
  const actor = { name: "bench", source: "local" } as const;
  store.createKey({ ...identity, name: "bench", note: "", metadata: {}, ...lists, ...life }, actor, Date.now());
  store.close();

  const db = new Database(path);
  for (const pragma of UNSAFE_AND_FAST) db.pragma(pragma);
  const columns = (db.pragma("table_info(keys)") as { name: string }[]).map(({ name }) => name);
  const own = ["digest", "id", "start", "secret_start"];
  const copied = columns.filter((name) => !own.includes(name));
  const into = `INSERT INTO keys (${[...own, ...copied].join(", ")})`;
  const ofFirst = `${copied.join(", ")} FROM keys WHERE id = '${idOf(0)}'`;
  const copy = db.prepare(`${into} SELECT ?, ?, ?, ?, ${ofFirst}`);
  db.transaction(() => {
    for (const [index, secret] of others.entries()) {
      const digest = Buffer.from(secretDigest(secret), "hex");
      copy.run(digest, idOf(index + 1), secret.slice(0, 11), secret.slice(3, 11));
    }
    db.exec(
      `WITH RECURSIVE n (i) AS (SELECT ${secrets.length} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${keys}),
         made AS MATERIALIZED (SELECT randomblob(32) AS digest FROM n WHERE i < ${keys} ORDER BY digest),
         drawn AS (SELECT digest, ${secrets.length - 1} + ROW_NUMBER() OVER () AS i FROM made)
       ${into} SELECT drawn.digest, printf('key_%020d', i), 'kw_' || printf('%08d', i), printf('%08d', i),
         ${copied.map((name) => `keys.${name}`).join(", ")} FROM drawn JOIN keys ON keys.id = '${idOf(0)}'`,
    );
  })();
  db.pragma("journal_mode = WAL");
  db.close();
  return { path, keys, secrets };
}

function idOf(number: number): string {
  return `key_${String(number).padStart(20, "0")}`;
}
