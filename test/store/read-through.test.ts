import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { readThrough } from "../../src/store/read-through.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { openStore } from "../../src/store/store.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { damagePages, makeLargeStore } from "./support/large-store.ts";
import { newStorePath } from "./support/temp-dir.ts";

const LATER = { mayReadLater: true };
const KEYS = [digestOf("one"), digestOf("two")];
const [one = "", two = ""] = KEYS;

const folder = mkdtempSync(join(tmpdir(), "keyward-large-"));
const template = join(folder, "large.db");
beforeAll(() => makeLargeStore(template, KEYS));
afterAll(() => rmSync(folder, { recursive: true }));

/** A large store of its own, changed behind its back. */
function largeStore(change: (path: string) => void = () => {}): string {
  const path = newStorePath();
  copyFileSync(template, path);
  change(path);
  return path;
}

const execute = (sql: string) => (path: string) => {
  const db = new Database(path);
  db.exec(sql);
  db.close();
};
const damageKey = (path: string) => damagePages(path, "keys", Buffer.from(one, "hex"));
const damageAudit = (path: string) => damagePages(path, "audit", "keys.create");
const cut = (bytes: (size: number) => number) => (path: string) => truncateSync(path, bytes(statSync(path).size));

/** Opens the writing side, and returns the file that is left to be read; the code where it is refused. */
function unreadOfWriter(path: string, options = LATER): string | undefined {
  try {
    const store = openStore(path, options);
    store.close();
    return store.unreadFile;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

function unreadOfReader(path: string, options = LATER): string | undefined {
  try {
    const reader = openKeyReader(path, options);
    reader.close();
    return reader.unreadFile;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

function fileOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

describe("before it is served", () => {
  test("a large store is not read through by who may do so later, and is by everybody else", () => {
    const path = largeStore();
    expect([unreadOfWriter(path), unreadOfReader(path)]).toEqual([fileOf(path), fileOf(path)]);
    const first = { mayReadLater: false };
    expect([unreadOfWriter(path, first), unreadOfReader(path, first)]).toEqual([undefined, undefined]);
  });

  test("a small store is read through", () => {
    const path = newStorePath();
    const store = openStore(path, LATER);
    for (let number = 0; number < 40; number++) {
      store.createKey(sampleKey(`n${number}`, { digest: digestOf(`n${number}`), note: "x".repeat(500) }), local, 1);
    }
    store.close();
    expect([unreadOfWriter(path), unreadOfReader(path)]).toEqual([undefined, undefined]);
    damagePages(path, "keys", Buffer.from(digestOf("n7"), "hex"));
    expect([unreadOfWriter(path), unreadOfReader(path)]).toEqual(["corrupt", "corrupt"]);
  });

  test.each([
    ["cut in its header", cut(() => 50), "corrupt", "corrupt"],
    ["cut by half", cut((size) => size / 2), "corrupt", "corrupt"],
    ["cut by a page", cut((size) => size - 4096), "corrupt", "corrupt"],
    ["cut by a byte", cut((size) => size - 1), "corrupt", "corrupt"],
    ["without its identity row", execute("DELETE FROM identity"), "no_identity", "no_identity"],
    ["of another program", execute("PRAGMA application_id = 1"), "foreign", "foreign"],
    ["of the next schema", execute(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`), "newer_schema", "newer_schema"],
  ])("a large store %s is refused", (_, change, writer, reader) => {
    const path = largeStore(change);
    const before = readFileSync(path);
    expect([unreadOfWriter(path), unreadOfReader(path)]).toEqual([writer, reader]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a large store of an earlier schema is read through, so that nothing rewrites a damaged one", () => {
    const path = largeStore(execute(`PRAGMA user_version = ${SCHEMA_VERSION - 1}`));
    damageKey(path);
    const before = readFileSync(path);
    expect(unreadOfWriter(path)).toBe("corrupt");
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe("a large store with a damaged page", () => {
  test("is opened by who may read it through later: a key that lies there is an error, and another is found", () => {
    const path = largeStore(damageKey);
    const reader = openKeyReader(path, LATER);
    expect(() => reader.find(one)).toThrow("corrupt");
    expect(reader.find(two)?.id).toBe("key_k1");
    expect(reader.find(digestOf("three"))).toBe(undefined);
    reader.close();
  });

  test("is damaged when it is read through, and from then on refused before it is served, and left as it is", () => {
    const path = largeStore(damageKey);
    expect(unreadOfReader(path)).toBe(fileOf(path));
    const before = readFileSync(path);
    const sentence = `database ${path}: it is damaged or cut off; restore a backup`;
    expect(() => readThrough(path, "everything")).toThrow(sentence);
    expect(readFileSync(`${path}.damaged`, "utf8")).toContain(sentence);
    expect(statSync(`${path}.damaged`).mode & 0o777).toBe(0o600);
    expect([unreadOfWriter(path), unreadOfReader(path)]).toEqual(["corrupt", "corrupt"]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("is replaced by a sound one, which is read through once before it is served, and later from then on", () => {
    const path = largeStore(damageKey);
    expect(() => readThrough(path, "everything")).toThrow("damaged");
    for (const name of [`${path}-wal`, `${path}-shm`]) rmSync(name, { force: true });
    copyFileSync(template, path);
    expect(unreadOfReader(path)).toBe(undefined);
    expect(unreadOfWriter(path)).toBe(undefined);
    expect(existsSync(`${path}.damaged`)).toBe(false);
    expect(unreadOfWriter(path)).toBe(fileOf(path));
  });

  test("that is of the audit trail is none to who reads the keys only", () => {
    const path = largeStore(damageAudit);
    expect(readThrough(path, "keys")).toBe(fileOf(path));
    expect(existsSync(`${path}.damaged`)).toBe(false);
    expect(() => readThrough(path, "everything")).toThrow("damaged");
  });
});

test("a sound store is read through while it is changed, and leaves no mark", () => {
  const path = largeStore();
  const store = openStore(path, LATER);
  store.createKey(sampleKey("new"), local, 2);
  expect(readThrough(path, "everything")).toBe(fileOf(path));
  store.close();
  expect(existsSync(`${path}.damaged`)).toBe(false);
});

test("a file that is gone, or is another program's, is no damage of ours: nothing is marked", () => {
  const path = largeStore(execute("PRAGMA application_id = 1"));
  expect(() => readThrough(path, "everything")).toThrow("belongs to another program");
  rmSync(path);
  expect(() => readThrough(path, "everything")).toThrow("there is no such file");
  expect(existsSync(`${path}.damaged`)).toBe(false);
});
