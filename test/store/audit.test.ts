import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";

type Row = Readonly<Record<string, string | number | Buffer>>;

/** A store with one of each event, the second by somebody else and with texts beyond ASCII. */
function auditedStore() {
  const { store, path } = newStore();
  const adminKey = { id: "akey_1", digest: "ab".repeat(32), start: "kwadm_12345678", name: "a", scopes: [] };
  const someone = { name: "akey_1", source: "[2001:db8::1]" };
  const key = sampleKey("k", { name: "Schlüssel 🔑", scopes: ["a"], paths: ["/v1"], expiresAtMs: 9 });
  store.createAdminKey(adminKey, local, 1);
  store.createKey(key, someone, 2);
  store.revokeKey(key.id, "lost \ud800", local, 3);
  store.revokeAdminKey("akey_1", local, 4);
  return { uuid: store.identity.uuid, key, path };
}

function auditRows(path: string): Row[] {
  const db = new Database(path, { readonly: true });
  const rows = db.prepare<[], Row>("SELECT * FROM audit ORDER BY seq").all();
  db.close();
  return rows;
}

/** The chain's rule written a second time: the seq of the first row that breaks it, undefined where none does. */
function firstBroken(uuid: string, rows: readonly Row[]): unknown {
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

test("every change leaves one event with its revision, time, actor, source and target", () => {
  const rows = auditRows(auditedStore().path);
  const columns = ["seq", "revision", "at_ms", "actor", "source", "action", "target"];
  expect(rows.map((row) => columns.map((column) => row[column]).join(" "))).toEqual([
    "1 1 1 local local admin_keys.create akey_1",
    "2 2 2 akey_1 [2001:db8::1] keys.create key_k",
    "3 3 3 local local keys.revoke key_k",
    "4 4 4 local local admin_keys.revoke akey_1",
  ]);
});

test("the details are JSON and hold neither digest nor any part of a secret", () => {
  const { key, path } = auditedStore();
  const details = auditRows(path).map(({ detail }) => String(detail));
  expect(JSON.parse(details[1] ?? "")).toEqual({
    name: "Schlüssel 🔑",
    tenant: null,
    owner: null,
    scopes: ["a"],
    paths: ["/v1"],
    methods: [],
    cidrs: [],
    notBeforeMs: null,
    expiresAtMs: 9,
  });
  expect(JSON.parse(details[2] ?? "")).toEqual({ reason: "lost \ud800" });
  expect(details.join()).not.toContain(key.digest.slice(0, 8));
});

describe("the chain", () => {
  test("can be recomputed from the store's uuid on", () => {
    const { uuid, path } = auditedStore();
    expect(firstBroken(uuid, auditRows(path))).toBe(undefined);
  });

  test.each([
    { title: "a changed detail", sql: "UPDATE audit SET detail = '{}' WHERE seq = 2", broken: 2 },
    { title: "a letter moved to the next column", sql: moveLetter(2), broken: 2 },
    { title: "a changed time", sql: "UPDATE audit SET at_ms = 0 WHERE seq = 3", broken: 3 },
    { title: "a removed first row", sql: "DELETE FROM audit WHERE seq = 1", broken: 2 },
    { title: "a removed row", sql: "DELETE FROM audit WHERE seq = 2", broken: 3 },
  ])("$title shows at row $broken", ({ sql, broken }) => {
    const { uuid, path } = auditedStore();
    const db = new Database(path);
    db.exec(sql);
    db.close();
    expect(firstBroken(uuid, auditRows(path))).toBe(broken);
  });
});

function moveLetter(seq: number): string {
  return `UPDATE audit SET source = substr(source, 1, length(source) - 1), action = substr(source, -1) || action
    WHERE seq = ${seq}`;
}
