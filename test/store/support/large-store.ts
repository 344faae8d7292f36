import { readFileSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { openStore } from "../../../src/store/store.ts";
import { local, sampleKey } from "./keys.ts";

/** Of the files that Keyward makes. */
export const PAGE_BYTES = 4096;

/** What is different in each of many copies of a key: digests are spread evenly, and the same each time. */
const COPIES: Readonly<Record<string, string>> = {
  digest: "unhex(printf('%02x%062d', i % 256, i))",
  id: "'copy_' || i",
  note: "hex(zeroblob(2000))",
};

/** So many copies are 37 MB: too large to be read through before they are served. */
const MANY = 7_500;

/** Makes a closed store of some 5 KB a copy, with the keys of these digests in it. */
export function makeLargeStore(path: string, digests: readonly string[] = [], copies = MANY): void {
  const store = openStore(path);
  store.createKey(sampleKey("copied"), local, 1);
  for (const [index, digest] of digests.entries()) store.createKey({ ...sampleKey(`k${index}`), digest }, local, 1);
  store.close();
  const db = new Database(path);
  const columns = db.prepare("SELECT name FROM pragma_table_info('keys')").pluck().all() as string[];
  const copied = columns.map((column) => COPIES[column] ?? column);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${copies})
    INSERT INTO keys (${columns}) SELECT ${copied} FROM keys, n WHERE id = 'key_copied'`);
  db.close();
}

/**
 * Overwrites with zeros the pages of a table in which some bytes lie, such as the digest of a key: where it is, and where it
 * was before a page was divided.
 */
export function damagePages(path: string, table: string, content: Buffer | string): void {
  const db = new Database(path, { readonly: true });
  const leaves = db.prepare<[string], number>(
    "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno",
  );
  const numbers = leaves.pluck().all(table);
  db.close();
  const bytes = readFileSync(path);
  const pages = numbers.map((number) => bytes.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES));
  for (const page of pages.filter((each) => each.includes(content))) page.fill(0);
  writeFileSync(path, bytes);
}
