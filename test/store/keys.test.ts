import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { KeyFilter, NewKey } from "../../src/store/keys.ts";
import { StoreError } from "../../src/store/store-error.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedStore } from "./support/stores.ts";

const fullKey = sampleKey("full", {
  start: "acme_live_4fGh12Kq",
  tenant: "acme",
  owner: "service/ci",
  note: "two\nlines",
  metadata: { team: "payments", "cost/center": "" },
  rateLimit: { requests: 5, windowMs: 1_000 },
  scopes: ["orders:read", "orders:*"],
  paths: ["/v1", "=/v2"],
  notBeforeMs: 10,
  expiresAtMs: 90,
});

/** The code of the StoreError that the call throws. */
function failureOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    return (error as StoreError).code;
  }
  throw new Error("it did not fail");
}

describe("creating", () => {
  test("a key is kept as it was given, with who made it and when", () => {
    const { store } = newStore();
    const { digest, ...given } = fullKey;
    const created = store.createKey(fullKey, { name: "akey_1", source: "10.0.0.1" }, 5);
    expect(created).toEqual({
      ...given,
      createdAtMs: 5,
      createdBy: "akey_1",
      updatedAtMs: 5,
      networks: undefined,
      ownerLimits: undefined,
      rateLimit: { requests: 5, windowMs: 1_000, cell: 0 },
      alg: undefined,
      signed: false,
      disabled: false,
      disabledAtMs: undefined,
      graceEndsAtMs: undefined,
      successor: undefined,
      predecessor: undefined,
      revoked: false,
      revokedAtMs: undefined,
      revokedBy: undefined,
      revokeReason: undefined,
      revision: 1,
    });
    expect(store.keyById(created.id)).toEqual(created);
    expect(store.keyByDigest(digest)).toEqual(created);
  });

  test("what is left out of a key is unset", () => {
    const created = newStore().store.createKey(sampleKey("bare"), local, 5);
    expect(created).toMatchObject({ tenant: undefined, owner: undefined, scopes: [], paths: [] });
    expect(created).toMatchObject({ notBeforeMs: undefined, expiresAtMs: undefined });
  });

  test("each change takes the next revision", () => {
    const { store, path } = newStore();
    const second = openedStore(path);
    const revisions = [store, second, store].map(
      (handle, index) => handle.createKey(sampleKey(`k${index}`), local, 1).revision,
    );
    expect(revisions).toEqual([1, 2, 3]);
    expect(second.revision()).toBe(3);
  });

  test.each([
    { title: "the id", key: sampleKey("new", { id: "key_there" }) },
    { title: "the digest", key: sampleKey("new", { digest: digestOf("there") }) },
  ])("$title of another key is a conflict, and nothing is written", ({ key }) => {
    const { store, path } = newStore();
    store.createKey(sampleKey("there"), local, 1);
    expect(failureOf(() => store.createKey(key, local, 2))).toBe("conflict");
    expect(countRows(path)).toEqual({ keys: 1, changes: 1, audit: 1 });
    expect(store.revision()).toBe(1);
  });

  test.each([
    { title: "a scope with a space", key: sampleKey("bad", { scopes: ["a b"] }) },
    { title: "an empty scope", key: sampleKey("bad", { scopes: [""] }) },
    { title: "a path with a space", key: sampleKey("bad", { paths: ["/a /b"] }) },
    { title: "a digest in upper case", key: sampleKey("bad", { digest: digestOf("bad").toUpperCase() }) },
    { title: "a digest that is cut", key: sampleKey("bad", { digest: digestOf("bad").slice(2) }) },
  ])("$title is never stored", ({ key }) => {
    const { store, path } = newStore();
    expect(() => store.createKey(key, local, 1)).toThrow(RangeError);
    expect(countRows(path)).toEqual({ keys: 0, changes: 0, audit: 0 });
  });
});

test.each<[title: string, more: Partial<NewKey>, atMs: number, count: number]>([
  ["a plain one", {}, 5, 1],
  ["one that is disabled", { disabled: true }, 5, 1],
  ["one that has not begun", { notBeforeMs: 9 }, 5, 1],
  ["one a moment before its end", { expiresAtMs: 6 }, 5, 1],
  ["one at its end", { expiresAtMs: 6 }, 6, 0],
  ["another owner's", { owner: "user/bob" }, 5, 0],
  ["one of nobody", { owner: undefined }, 5, 0],
  ["the same name's in a tenant", { tenant: "acme" }, 5, 0],
])("of the live keys of an owner, %s", (_, more, atMs, count) => {
  const { store } = newStore();
  const { id } = store.createKey(sampleKey("k", { owner: "user/ann", ...more }), local, 1);
  expect(store.countLiveKeys({ owner: "user/ann", tenant: null }, atMs)).toBe(count);
  store.revokeKey(id, "", local, 5);
  expect(store.countLiveKeys({ owner: "user/ann", tenant: null }, atMs)).toBe(0);
});

describe("finding by a shortened name", () => {
  test.each([
    { title: "the whole start", text: "kw_4fGh12Kq", found: ["key_a"] },
    { title: "the first eight characters of the secret", text: "4fGh12Kq", found: ["key_a", "key_b"] },
    { title: "another case", text: "4FGh12Kq", found: [] },
    { title: "seven characters", text: "4fGh12K", found: [] },
    { title: "a pattern", text: "%", found: [] },
    { title: "nothing", text: "", found: [] },
  ])("$title finds $found", ({ text, found }) => {
    const { store } = newStore();
    store.createKey(sampleKey("b", { start: "acme_live_4fGh12Kq" }), local, 1);
    store.createKey(sampleKey("a", { start: "kw_4fGh12Kq" }), local, 1);
    store.createKey(sampleKey("c", { start: "kw_4fGh12Kr" }), local, 1);
    expect(store.keysByStart(text).map(({ id }) => id)).toEqual(found);
  });

  test("ten candidates and one more are returned of many", () => {
    const { store } = newStore();
    for (let number = 0; number < 15; number++)
      store.createKey(sampleKey(`${number}`, { start: "kw_thesame8" }), local, 1);
    expect(store.keysByStart("thesame8")).toHaveLength(11);
  });

  test.each([
    { title: "anybody's", among: {}, found: ["a1", "b1", "c1", "d1"] },
    { title: "an owner's, in any tenant", among: { owner: "user/ann" }, found: ["b1", "c1"] },
    { title: "an owner's without tenant", among: { owner: "user/ann", tenant: null }, found: ["b1"] },
    { title: "an owner's in a tenant", among: { owner: "user/ann", tenant: "acme" }, found: ["c1"] },
    { title: "a tenant's", among: { tenant: "acme" }, found: ["c1", "d1"] },
    { title: "those without tenant", among: { tenant: null }, found: ["a1", "b1"] },
    { title: "an owner's that has none", among: { owner: "user/an" }, found: [] },
  ])("among $title", ({ among, found }) => {
    const { store } = newStore();
    const make = (id: string, more: Partial<NewKey> = {}) =>
      store.createKey(sampleKey(id, { start: "kw_thesame8", ...more }), local, 1);
    make("a1");
    make("b1", { owner: "user/ann" });
    make("c1", { owner: "user/ann", tenant: "acme" });
    make("d1", { owner: "user/bob", tenant: "acme" });
    expect(store.keysByStart("thesame8", among).map(({ name }) => name)).toEqual(found);
  });

  test("an unknown id or digest finds nothing", () => {
    const { store } = newStore();
    expect(store.keyById("key_x")).toBe(undefined);
    expect(store.keyByDigest(digestOf("x"))).toBe(undefined);
  });
});

describe("listing", () => {
  const nowMs = 100;
  const all = { nowMs, limit: 10 };
  test.each<{ title: string; filter: KeyFilter; found: string }>([
    { title: "all, by id", filter: all, found: "1 2 3 4 5" },
    { title: "an owner's", filter: { ...all, owner: "user/a" }, found: "1 3" },
    { title: "a tenant's", filter: { ...all, tenant: "t" }, found: "2 3" },
    { title: "an owner's in a tenant", filter: { ...all, owner: "user/a", tenant: "t" }, found: "3" },
    { title: "an owner's in another case", filter: { ...all, owner: "user/A" }, found: "" },
    { title: "active ones", filter: { ...all, state: "active" }, found: "1 2" },
    { title: "active ones a moment before", filter: { ...all, nowMs: nowMs - 1, state: "active" }, found: "1 2 3" },
    { title: "expired ones, those that expire now included", filter: { ...all, state: "expired" }, found: "3" },
    { title: "revoked ones, expired or not", filter: { ...all, state: "revoked" }, found: "4 5" },
    { title: "revoked ones of an owner without any", filter: { ...all, owner: "user/a", state: "revoked" }, found: "" },
    { title: "a first page", filter: { ...all, limit: 2 }, found: "1 2" },
    { title: "the page after", filter: { ...all, limit: 2, afterId: "key_2" }, found: "3 4" },
    { title: "the page after the last", filter: { ...all, afterId: "key_5" }, found: "" },
  ])("$title: $found", ({ filter, found }) => {
    const { store } = newStore();
    store.createKey(sampleKey("5", { expiresAtMs: nowMs }), local, 1);
    store.createKey(sampleKey("4"), local, 1);
    store.createKey(sampleKey("3", { owner: "user/a", tenant: "t", expiresAtMs: nowMs }), local, 1);
    store.createKey(sampleKey("2", { tenant: "t", expiresAtMs: nowMs + 1 }), local, 1);
    store.createKey(sampleKey("1", { owner: "user/a" }), local, 1);
    for (const id of ["key_4", "key_5"]) store.revokeKey(id, "", local, 2);
    expect(
      store
        .listKeys(filter)
        .map(({ id }) => id.slice(4))
        .join(" "),
    ).toBe(found);
  });
});

describe("revoking", () => {
  test("a key ends with who, when and why, under a new revision", () => {
    const { store } = newStore();
    const created = store.createKey(sampleKey("k"), local, 1);
    const revoked = store.revokeKey(created.id, "leaked", { name: "akey_1", source: "10.0.0.1" }, 7);
    const ending = { revokedAtMs: 7, revokedBy: "akey_1", revokeReason: "leaked", updatedAtMs: 7 };
    expect(revoked).toEqual({ ...created, ...ending, revoked: true, revision: 2 });
    expect(store.keyById(created.id)).toEqual(revoked);
  });

  test("a second time returns the record of the first and writes nothing", () => {
    const { store, path } = newStore();
    const { id } = store.createKey(sampleKey("k"), local, 1);
    const first = store.revokeKey(id, "leaked", local, 2);
    const before = countRows(path);
    expect(store.revokeKey(id, "again", { name: "akey_1", source: "x" }, 3)).toEqual(first);
    expect(countRows(path)).toEqual(before);
    expect(store.revision()).toBe(2);
  });

  test("an unknown key is undefined and writes nothing", () => {
    const { store, path } = newStore();
    expect(store.revokeKey("key_x", "", local, 1)).toBe(undefined);
    expect(countRows(path)).toEqual({ keys: 0, changes: 0, audit: 0 });
  });
});

describe("a failing store", () => {
  test("another program's transaction makes a change fail as busy, and reads go on", () => {
    const { store, path } = newStore();
    const { id } = store.createKey(sampleKey("k"), local, 1);
    const other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    expect(failureOf(() => store.revokeKey(id, "", local, 2))).toBe("busy");
    expect(store.keyById(id)?.revoked).toBe(false);
    other.exec("ROLLBACK");
    other.close();
    expect(store.revokeKey(id, "", local, 2)?.revision).toBe(2);
  });

  test("a full disk fails the change and leaves every one before it", () => {
    const { store, path } = newStore();
    store.close();
    const script = fileURLToPath(new URL("children/fill-disk.ts", import.meta.url));
    // No file may grow beyond 512 KB (ulimit counts in 512 or 1,024 bytes); the write fails instead of the process.
    const command = `trap "" XFSZ; ulimit -f 512; exec "$0" "$1" "$2"`;
    const child = spawnSync("sh", ["-c", command, process.execPath, script, path], { encoding: "utf8" });
    expect(child.stdout.trim()).toMatch(/^(full|io_error) true$/);

    const again = openedStore(path);
    const { keys, audit } = countRows(path);
    expect([keys, audit]).toEqual([again.revision(), again.revision()]);
    expect(again.revision()).toBeGreaterThan(0);
    expect(statSync(path).size).toBeLessThan(1024 * 1024);
  });

  test("a closed store says so", () => {
    const { store } = newStore();
    store.close();
    expect(failureOf(() => store.keyById("key_x"))).toBe("closed");
    expect(failureOf(() => store.createKey(sampleKey("k"), local, 1))).toBe("closed");
    expect(failureOf(() => store.revision())).toBe("closed");
  });
});

interface RowCounts {
  readonly keys: number;
  readonly changes: number;
  readonly audit: number;
}

function countRows(path: string): RowCounts {
  const db = new Database(path, { readonly: true });
  const count = (table: string) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  const counts = { keys: count("keys"), changes: count("changes"), audit: count("audit") };
  db.close();
  return counts;
}
