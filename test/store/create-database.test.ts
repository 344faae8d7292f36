import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { createDatabase } from "../../src/store/create-database.ts";
import { killChildAfter, runChild, startChild } from "./support/child.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore, openedStore } from "./support/stores.ts";
import { newStorePath } from "./support/temp-dir.ts";

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** What a killed first start leaves beside the path. */
function unfinished(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.includes("unfinished"));
}

test("a first start makes an empty store with an identity of its own", () => {
  const [one, other] = [newStore().store, newStore().store];
  expect(one.revision()).toBe(0);
  expect(one.schemaVersion).toBe(4);
  expect(one.identity.uuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(one.identity.pageTokenKey).toHaveLength(32);
  expect(one.identity.uuid).not.toBe(other.identity.uuid);
  expect(one.identity.pageTokenKey).not.toEqual(other.identity.pageTokenKey);
});

test("a second start finds the same store", () => {
  const { store, path } = newStore();
  store.close();
  expect(openedStore(path).identity).toEqual(store.identity);
});

test("database, log and shared memory are 0600 and new directories 0700, whatever the umask", () => {
  const before = process.umask(0);
  onTestFinished(() => {
    process.umask(before);
  });
  const path = join(dirname(newStorePath()), "a", "b", "keyward.db");
  openedStore(path).createKey(sampleKey("k"), local, 1);
  const found = [path, `${path}-wal`, `${path}-shm`, dirname(path), dirname(dirname(path))].map(modeOf);
  expect(found).toEqual(["600", "600", "600", "700", "700"]);
});

test("a file whose mode was widened is narrowed at start", () => {
  const { store, path } = newStore();
  store.close();
  writeFileSync(`${path}-wal`, "");
  for (const each of [path, `${path}-wal`]) chmodSync(each, 0o644);
  openedStore(path);
  expect([path, `${path}-wal`].map(modeOf)).toEqual(["600", "600"]);
});

test("the file is a WAL database from its first byte on", () => {
  const path = newStorePath();
  createDatabase(path, 1);
  const db = new Database(path, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
});

test("where two programs start first at once, the file that is there stays", () => {
  const path = newStorePath();
  createDatabase(path, 1);
  createDatabase(path, 2);
  expect(openedStore(path).identity.createdAtMs).toBe(1);
  expect(unfinished(path)).toEqual([]);
});

test("programs that start first at once all work on one store", async () => {
  const path = newStorePath();
  const names = ["a", "b", "c", "d"];
  const ids = await Promise.all(names.map((name) => startChild("create-one.ts", [path, name])));
  expect(ids).toEqual(["key_a", "key_b", "key_c", "key_d"]);
  const store = openedStore(path);
  expect(store.listKeys({ nowMs: 1, limit: 10 }).map(({ id }) => id)).toEqual(ids);
  expect(unfinished(path)).toEqual([]);
});

test("a first start killed before any of its file-system calls can be repeated", () => {
  const directory = dirname(newStorePath());
  const signals: (string | null)[] = [];
  for (let call = 1; call <= 60 && signals.at(-1) !== null; call++) {
    const path = join(directory, String(call), "keyward.db");
    const { signal, code, stderr } = runChild("killed-first-start.ts", [String(call), path]);
    signals.push(signal);
    expect(signal === "SIGKILL" || code === 0, stderr).toBe(true);
    expect(openedStore(path).revision()).toBe(0);
    expect(unfinished(path)).toEqual([]);
  }
  expect(signals.at(-1)).toBe(null);
  expect(signals.length).toBeGreaterThan(10);
}, 60_000);

test.each([1, 2, 3, 10, 101, 200])(
  "after kill -9 at the %ith answer every answered change is there",
  async (lines) => {
    const path = newStorePath();
    const answered = await killChildAfter(lines, "create-keys.ts", [path]);
    expect(answered.length).toBeGreaterThanOrEqual(lines);

    const store = openedStore(path);
    const wrong = answered.filter((line) => {
      const [what, id = ""] = line.split(" ");
      const key = store.keyById(id);
      return key === undefined || (what === "revoked" && !key.revoked);
    });
    expect(wrong).toEqual([]);
    const db = new Database(path, { readonly: true });
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  },
  20_000,
);
