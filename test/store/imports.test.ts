import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { ImportRow } from "../../src/store/imports.ts";
import { auditRows, firstBroken } from "./support/audit-chain.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

function rowOf(name: string, line: number, more: Partial<ImportRow> = {}): ImportRow {
  const { id: _, ...key } = sampleKey(name);
  return { ...key, line, ...more };
}

function opened() {
  const { store, path } = newStore();
  let number = 0;
  const stage = (id: string, rows: ImportRow[], refusedCount = 0) => store.stageImport(id, { rows, refusedCount }, 1);
  const commit = (id: string) => store.commitImport(id, () => `key_${++number}`, local, 5);
  const begin = (id: string, nowMs = 1, abandonedBeforeMs = 0) =>
    store.beginImport(id, "kong", local, nowMs, abandonedBeforeMs);
  return { store, path, begin, stage, commit };
}

function count(path: string, table: string): unknown {
  const db = new Database(path, { readonly: true });
  const found = db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  db.close();
  return found;
}

describe("an import", () => {
  test("makes all keys in one revision, with who made them and where they came from", () => {
    const { store, begin, stage, commit } = opened();
    begin("i");
    stage("i", [rowOf("a", 2, { tenant: "t", scopes: ["x"] })]);
    stage("i", [rowOf("b", 3, { disabled: true, start: "" })]);
    expect(store.revision()).toBe(0);
    expect(commit("i")).toEqual({ importedCount: 2, taken: [], takenCount: 0 });
    expect(store.keyByDigest(digestOf("a"))).toMatchObject({
      id: "key_1",
      name: "a",
      tenant: "t",
      scopes: ["x"],
      source: "kong",
      createdBy: "local",
      createdAtMs: 5,
      revision: 1,
    });
    expect(store.keyByDigest(digestOf("b"))).toMatchObject({ disabled: true, disabledAtMs: 5, start: "", revision: 1 });
    expect(store.importOf("i", "local")).toBe(undefined);
  });

  test("leaves one event for each tenant, and the chain whole", () => {
    const { store, path, begin, stage, commit } = opened();
    begin("i");
    stage("i", [rowOf("a", 1, { tenant: "t" }), rowOf("b", 2, { tenant: "t" }), rowOf("c", 3)]);
    commit("i");
    const events = auditRows(path).map(({ action, target, detail }) => [action, target, JSON.parse(String(detail))]);
    expect(events).toEqual([
      ["keys.import", "i", { tenant: "t", source: "kong", keys: 2 }],
      ["keys.import", "i", { source: "kong", keys: 1 }],
    ]);
    expect(firstBroken(store.identity.uuid, auditRows(path))).toBe(undefined);
  });

  test("of which a key was refused makes none, and leaves nothing behind", () => {
    const { store, path, begin, stage, commit } = opened();
    begin("i");
    stage("i", [rowOf("a", 1)], 1);
    expect(commit("i")).toEqual({ importedCount: 0, taken: [], takenCount: 0 });
    expect([store.revision(), count(path, "keys"), count(path, "import_rows"), count(path, "imports")]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test.each([
    ["of a key that is there", "there"],
    ["of an admin key", "admin"],
    ["of an earlier row", "a"],
  ])("does not take the digest %s", (_, name) => {
    const { store, begin, stage, commit } = opened();
    store.createKey(sampleKey("there"), local, 1);
    store.createAdminKey({ id: "akey_1", digest: digestOf("admin"), start: "x", name: "x", scopes: [] }, local, 1);
    begin("i");
    stage("i", [rowOf("a", 1)]);
    const row = rowOf("other", 2, { digest: digestOf(name) });
    expect(stage("i", [row, rowOf("b", 3)])).toMatchObject({ taken: [row], import: { keyCount: 3, refusedCount: 1 } });
    expect(commit("i").importedCount).toBe(0);
    expect(store.keyByDigest(digestOf("b"))).toBe(undefined);
  });

  test("names the lines whose digest another key has got meanwhile, and makes none", () => {
    const { store, begin, stage, commit } = opened();
    begin("i");
    stage("i", [rowOf("a", 7), rowOf("b", 8)]);
    store.createKey(sampleKey("b"), local, 1);
    expect(store.previewImport("i")).toEqual({ importedCount: 0, taken: [8], takenCount: 1 });
    expect(commit("i")).toEqual({ importedCount: 0, taken: [8], takenCount: 1 });
    expect(store.keyByDigest(digestOf("a"))).toBe(undefined);
  });

  test("does not see the rows of another", () => {
    const { begin, stage, commit } = opened();
    begin("i");
    begin("j");
    stage("i", [rowOf("a", 1)]);
    expect(stage("j", [rowOf("a", 1), rowOf("b", 2)]).taken).toEqual([]);
    expect(commit("i").importedCount).toBe(1);
    expect(commit("j")).toEqual({ importedCount: 0, taken: [1], takenCount: 1 });
  });

  test("is its caller's, and goes on in another process", () => {
    const { store, path, begin, stage } = opened();
    begin("i");
    stage("i", [rowOf("a", 1)]);
    expect(store.importOf("i", "akey_1")).toBe(undefined);
    const other = openedStore(path);
    expect(other.importOf("i", "local")).toMatchObject({ id: "i", source: "kong", keyCount: 1 });
    expect(other.commitImport("i", () => "key_1", local, 1).importedCount).toBe(1);
  });

  test("that nobody continues is given up when another begins", () => {
    const { store, path, begin, stage } = opened();
    begin("old", 1);
    stage("old", [rowOf("a", 1)]);
    begin("young", 100, 1);
    expect(store.importOf("old", "local")).toBeDefined();
    begin("new", 100, 2);
    expect([store.importOf("old", "local"), store.importsOf("local"), count(path, "import_rows")]).toEqual([
      undefined,
      2,
      0,
    ]);
  });

  test("of nothing takes no revision", () => {
    const { store, path, begin, commit } = opened();
    begin("i");
    expect(commit("i").importedCount).toBe(0);
    expect([store.revision(), count(path, "audit")]).toEqual([0, 0]);
  });

  test("gives each key with a rate limit a cell of its own", () => {
    const { store, begin, stage, commit } = opened();
    begin("i");
    const rateLimit = { requests: 1, windowMs: 1000 };
    stage("i", [rowOf("a", 1, { rateLimit }), rowOf("b", 2, { rateLimit })]);
    commit("i");
    const cells = ["a", "b"].map((name) => store.keyByDigest(digestOf(name))?.rateLimit?.cell);
    expect(cells).toEqual([0, 1]);
  });
});

describe("which keys were made elsewhere is known to readers:", () => {
  test.each<[string, Partial<ImportRow> | undefined, string]>([
    ["none", undefined, "none"],
    ["some", {}, "sha256"],
    ["some by their SHA-512", { hashing: "sha512" }, "sha512"],
  ])("%s", (_, more, expected) => {
    const { store, path, begin, stage, commit } = opened();
    store.createKey(sampleKey("own"), local, 1);
    begin("i");
    stage("i", more === undefined ? [] : [rowOf("a", 1), rowOf("b", 2, more)]);
    expect(openedReader(path).foreignKeys()).toBe("none");
    commit("i");
    expect(openedReader(path).foreignKeys()).toBe(expected);
  });
});
