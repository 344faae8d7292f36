import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { restore } from "../../src/store/restore.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { verifiedTrail } from "../faults/support/whole-store.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStorePath } from "./support/temp-dir.ts";
import { tamper } from "./support/trail.ts";

/** Works on a store, and closes it. */
async function inStore(path: string, work: (store: Store) => unknown): Promise<void> {
  const store = openStore(path);
  try {
    await work(store);
  } finally {
    store.close();
  }
}

/** Copies a store as `keyward backup` does, to a file beside it. */
async function backUp(path: string, name: string): Promise<string> {
  const file = join(dirname(path), name);
  await inStore(path, async (store) => {
    const backup = await store.makeBackup(local, 1, {});
    copyFileSync(backup.path, file);
    backup.discard();
  });
  return file;
}

/** A store with one key, a backup of it, and a key that was made after that. */
async function backedUp() {
  const path = newStorePath();
  await inStore(path, (store) => store.createKey(sampleKey("first"), local, 1));
  const file = await backUp(path, "backup.db");
  await inStore(path, (store) => store.createKey(sampleKey("second"), local, 2));
  return { path, file };
}

const keysOf = async (path: string) => {
  let ids: string[] = [];
  await inStore(path, (store) => {
    ids = store.listKeys({ nowMs: 3, limit: 10 }).map(({ id }) => id);
  });
  return ids;
};

const usual = { force: false, actor: local, nowMs: 3 };

describe("restoring a backup that", () => {
  test.each<[string, (file: string) => void, string]>([
    ["is cut off", (file) => truncateSync(file, statSync(file).size - 4096), "corrupt"],
    ["is cut off within a page", (file) => truncateSync(file, statSync(file).size - 1), "corrupt"],
    ["has lost a page", (file) => writePage(file, 3), "corrupt"],
    [
      "is no database",
      (file) => writeFileSync(file, "not a database, but a text of some length".repeat(30)),
      "not_sqlite",
    ],
    ["is empty", (file) => truncateSync(file, 0), "empty"],
    ["is of a newer program", (file) => tamper(file, "PRAGMA user_version = 1000"), "newer_schema"],
    ["is of another program", (file) => tamper(file, "PRAGMA application_id = 1"), "foreign"],
    ["has lost its identity", (file) => tamper(file, "DELETE FROM identity"), "no_identity"],
    ["has a log beside it", (file) => writeFileSync(`${file}-wal`, "log"), "has_log"],
    ["is not there", (file) => renameSync(file, `${file}.away`), "missing"],
  ])("%s is refused, also by force, and changes nothing", async (_, spoil, code) => {
    const { path, file } = await backedUp();
    spoil(file);
    for (const force of [false, true]) {
      expect(() => restore(file, path, { ...usual, force })).toThrow(expect.objectContaining({ code }));
    }
    expect(readdirSync(dirname(path)).filter((name) => /replaced|unfinished/.test(name))).toEqual([]);
    expect(await keysOf(path)).toEqual(["key_first", "key_second"]);
  });

  test("is the database itself is refused", async () => {
    const { path } = await backedUp();
    expect(() => restore(path, path, usual)).toThrow(expect.objectContaining({ code: "same_file" }));
  });

  test("is of another store is put in place by force only", async () => {
    const { path, file } = await backedUp();
    const other = newStorePath();
    await inStore(other, (store) => store.createKey(sampleKey("other"), local, 1));
    expect(() => restore(file, other, usual)).toThrow(expect.objectContaining({ code: "other_store" }));
    expect(await keysOf(other)).toEqual(["key_other"]);
    expect(restore(file, other, { ...usual, force: true }).carriedOver).toBe(undefined);
    expect(await keysOf(other)).toEqual(["key_first"]);
    expect(await keysOf(path)).toEqual(["key_first", "key_second"]);
  });

  test("is of an earlier schema is brought up to date, without another copy", async () => {
    const path = newStorePath();
    const file = join(dirname(path), "old.db");
    copyFileSync(new URL("fixtures/schema-2.db", import.meta.url), file);
    const { backup, carriedOver } = restore(file, path, usual);
    expect([backup.schemaVersion, carriedOver]).toEqual([2, undefined]);
    expect(await keysOf(path)).toHaveLength(backup.keys);
    expect(readdirSync(dirname(path)).toSorted()).toEqual(["keyward.db", "old.db"]);
  });

  test("was made before an upgrade keeps what the upgraded store has revoked since", async () => {
    const path = newStorePath();
    copyFileSync(new URL("fixtures/schema-1.db", import.meta.url), path);
    let revoked = "";
    await inStore(path, (store) => {
      const [key] = store.listKeys({ nowMs: 1, state: "active", limit: 1 });
      revoked = store.revokeKey(key?.id ?? "", "", local, 2)?.id ?? "";
    });
    const { carriedOver } = restore(`${path}.schema-1.bak`, path, usual);
    expect(carriedOver).toMatchObject({ revoked: [revoked], lost: 0, unknown: [] });
    await inStore(path, (store) => expect(store.keyById(revoked)?.revokedAtMs).toBe(2));
  });
});

test("a store that a newer program has taken over gives way to a backup, and what it has revoked stays so", async () => {
  const { path, file } = await backedUp();
  await inStore(path, (store) => store.revokeKey("key_first", "", local, 2));
  tamper(path, "ALTER TABLE keys ADD COLUMN later TEXT; PRAGMA user_version = 1000");
  expect(restore(file, path, usual).carriedOver).toMatchObject({ revoked: ["key_first"], lost: 1 });
  expect(await keysOf(path)).toEqual(["key_first"]);
});

test("a store that is open is refused, however little it is used", async () => {
  const { path, file } = await backedUp();
  const store = openStore(path);
  for (const force of [false, true]) {
    expect(() => restore(file, path, { ...usual, force })).toThrow(expect.objectContaining({ code: "in_use" }));
  }
  store.close();
  expect(restore(file, path, usual).carriedOver?.lost).toBe(1);
});

test("keys of the backup that the other store may never have had are told of, and open", async () => {
  const { path, file } = await backedUp();
  const later = await backUp(path, "later.db");
  expect(restore(file, path, usual).carriedOver).toMatchObject({ lost: 1, unknown: [] });
  expect(restore(later, path, { ...usual, nowMs: 4 }).carriedOver).toMatchObject({ lost: 0, unknown: ["key_second"] });
  expect(await keysOf(path)).toEqual(["key_first", "key_second"]);
});

test("what is restored is a whole store, and tells of it; the one before lies beside it as it was", async () => {
  const { path, file } = await backedUp();
  const { aside } = restore(file, path, usual);
  expect(verifiedTrail(path)).toEqual({ broken: undefined, last: "system.restore" });
  expect(await keysOf(aside ?? "")).toEqual(["key_first", "key_second"]);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
});

test("a backup is put where no database is, but not beside the log of one", async () => {
  const { file } = await backedUp();
  const path = newStorePath();
  expect(restore(file, path, usual)).toMatchObject({ aside: undefined, carriedOver: undefined });
  expect(await keysOf(path)).toEqual(["key_first"]);
  const orphaned = newStorePath();
  writeFileSync(`${orphaned}-wal`, "log");
  expect(() => restore(file, orphaned, usual)).toThrow(expect.objectContaining({ code: "orphaned_log" }));
  expect(existsSync(orphaned)).toBe(false);
});

/** Overwrites a page, from 1 on. */
function writePage(file: string, page: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, (page - 1) * 4096, page * 4096);
  writeFileSync(file, bytes);
}
