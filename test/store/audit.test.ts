import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { auditRows, firstBroken } from "./support/audit-chain.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";

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
    rateLimit: null,
  });
  expect(JSON.parse(details[2] ?? "")).toEqual({ reason: "lost \ud800" });
  expect(details.join()).not.toContain(key.digest.slice(0, 8));
});

/** The details of all events of a store, oldest first. */
const detailsIn = (path: string) => auditRows(path).map(({ detail }) => JSON.parse(String(detail)));

test("the details of a key say how it is limited and that it inherits, and hold neither note nor metadata", () => {
  const { store, path } = newStore();
  const words = { note: "canary note", metadata: { canary: "canary value" } };
  const limited = { owner: "user/a", rateLimit: { requests: 5, windowMs: 60_000 }, ...words };
  const before = sampleKey("k", { ...limited, inheritsScopes: true });
  store.createKey(before, local, 1);
  const after = { ...before, inheritsScopes: false, rateLimit: { requests: 1, windowMs: 1_000 } };
  store.updateKey("key_k", after, local, 2);
  store.updateKey("key_k", { ...after, rateLimit: undefined }, local, 3);
  const { revision = 0 } = store.keyById("key_k") ?? {};
  store.rotateKey("key_k", sampleKey("l", limited), 50, local, 4, revision);

  const nothing = { paths: [], methods: [], cidrs: [], notBeforeMs: null, expiresAtMs: null };
  const told = (scopes: unknown, rateLimit: unknown) => ({ name: "k", scopes, ...nothing, rateLimit });
  const inherited = told("inherit", { requests: 5, windowMs: 60_000 });
  const own = told([], { requests: 1, windowMs: 1_000 });
  expect(detailsIn(path)).toEqual([
    { tenant: null, owner: "user/a", ...inherited },
    { before: inherited, after: own },
    { before: own, after: told([], null) },
    { successor: "key_l", graceEndsAtMs: 50, expiresAtMs: null },
  ]);
  expect(JSON.stringify(auditRows(path))).not.toContain("canary");
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
