import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { APPLICATION_ID } from "../../src/store/identity.ts";
import { SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { StoreRefusedError } from "../../src/store/refusal.ts";
import { openStore } from "../../src/store/store.ts";
import { nobody, runChild } from "./support/child.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStorePath } from "./support/temp-dir.ts";

interface Row {
  readonly title: string;
  /** Puts something at the path. */
  readonly prepare: (path: string) => void;
  readonly writer: string;
  readonly reader: string;
}

/** A whole store with enough keys for several pages, closed. */
function makeStore(path: string): void {
  const store = openStore(path);
  for (let number = 0; number < 40; number++) {
    store.createKey(sampleKey(`n${number}`, { note: "x".repeat(500) }), local, 1);
  }
  store.close();
}

/** A whole store changed behind its back. */
function makeAltered(sql: string): (path: string) => void {
  return (path) => {
    makeStore(path);
    const db = new Database(path);
    db.exec(sql);
    db.close();
  };
}

function makeCut(bytes: (size: number) => number): (path: string) => void {
  return (path) => {
    makeStore(path);
    truncateSync(path, bytes(statSync(path).size));
  };
}

function makeForeign(journalMode: string): (path: string) => void {
  return (path) => {
    const db = new Database(path);
    db.pragma(`journal_mode = ${journalMode}`);
    db.exec("CREATE TABLE keys (id TEXT)");
    db.close();
    chmodSync(path, 0o644);
  };
}

/** Overwrites the root page of the keys with zeros. */
function makeDamaged(path: string): void {
  makeStore(path);
  const db = new Database(path, { readonly: true });
  const page = db.prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'keys'").pluck().get() ?? 0;
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0, (page - 1) * 4096, page * 4096);
  writeFileSync(path, bytes);
}

const rows: readonly Row[] = [
  { title: "a directory", prepare: (path) => mkdirSync(path), writer: "is_directory", reader: "is_directory" },
  { title: "a device", prepare: (path) => symlinkSync("/dev/null", path), writer: "not_a_file", reader: "not_a_file" },
  { title: "a zero-byte file", prepare: (path) => writeFileSync(path, ""), writer: "empty", reader: "empty" },
  { title: "a text", prepare: (path) => writeFileSync(path, "hello"), writer: "not_sqlite", reader: "not_sqlite" },
  {
    title: "a page of a text",
    prepare: (path) => writeFileSync(path, "x".repeat(8192)),
    writer: "not_sqlite",
    reader: "not_sqlite",
  },
  { title: "a store cut in its header", prepare: makeCut(() => 50), writer: "corrupt", reader: "corrupt" },
  { title: "a store cut after one page", prepare: makeCut(() => 4096), writer: "corrupt", reader: "corrupt" },
  { title: "a store cut by half", prepare: makeCut((size) => size / 2), writer: "corrupt", reader: "corrupt" },
  { title: "a store cut by a page", prepare: makeCut((size) => size - 4096), writer: "corrupt", reader: "corrupt" },
  { title: "a store cut by a byte", prepare: makeCut((size) => size - 1), writer: "corrupt", reader: "corrupt" },
  { title: "a store with a page of zeros", prepare: makeDamaged, writer: "corrupt", reader: "corrupt" },
  { title: "another program's database", prepare: makeForeign("DELETE"), writer: "foreign", reader: "foreign" },
  { title: "another program's WAL database", prepare: makeForeign("WAL"), writer: "foreign", reader: "foreign" },
  {
    title: "a database whose application id is one off",
    prepare: makeAltered(`PRAGMA application_id = ${APPLICATION_ID + 1}`),
    writer: "foreign",
    reader: "foreign",
  },
  {
    title: "a store without its identity row",
    prepare: makeAltered("DELETE FROM identity"),
    writer: "no_identity",
    reader: "no_identity",
  },
  {
    title: "a store without its identity table",
    prepare: makeAltered("DROP TABLE identity"),
    writer: "no_identity",
    reader: "no_identity",
  },
  {
    title: "a store of the next schema",
    prepare: makeAltered(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`),
    writer: "newer_schema",
    reader: "newer_schema",
  },
  {
    title: "a vanished store's log",
    prepare: (path) => writeFileSync(`${path}-wal`, "left"),
    writer: "orphaned_log",
    reader: "missing",
  },
  {
    title: "a vanished store's journal",
    prepare: (path) => writeFileSync(`${path}-journal`, "left"),
    writer: "orphaned_log",
    reader: "missing",
  },
  {
    title: "a link to nowhere",
    prepare: (path) => symlinkSync("/nonexistent/keyward.db", path),
    writer: "cannot_create",
    reader: "missing",
  },
];

/** What opening throws; fails the test where it does not. */
function refusalOf(open: () => { close(): void }): StoreRefusedError {
  try {
    open().close();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreRefusedError);
    return error as StoreRefusedError;
  }
  throw new Error("it was opened");
}

/** What lies beside the path: name, mode, bytes. Reading a WAL database leaves an empty log; that does not count. */
function contents(path: string): unknown[] {
  return readdirSync(dirname(path))
    .map((name) => {
      const stats = lstatSync(join(dirname(path), name));
      return { name, mode: stats.mode, bytes: stats.isFile() ? readFileSync(join(dirname(path), name), "hex") : "" };
    })
    .filter(({ name, bytes }) => !name.endsWith("-shm") && !(name.endsWith("-wal") && bytes === ""));
}

describe("what is not a whole store of ours is refused and left as it is", () => {
  test.each(rows)("$title", ({ prepare, writer, reader }) => {
    const path = newStorePath();
    prepare(path);
    const before = contents(path);
    expect(refusalOf(() => openStore(path)).code).toBe(writer);
    expect(refusalOf(() => openKeyReader(path)).code).toBe(reader);
    expect(contents(path)).toEqual(before);
  });

  test("a reader refuses a missing file and makes none", () => {
    const path = newStorePath();
    expect(refusalOf(() => openKeyReader(path)).code).toBe("missing");
    expect(existsSync(path)).toBe(false);
  });

  test("a reader refuses an older schema", () => {
    const path = newStorePath();
    makeAltered("PRAGMA user_version = 0")(path);
    expect(refusalOf(() => openKeyReader(path)).code).toBe("older_schema");
  });

  test("a path that ends in white space is refused", () => {
    expect(refusalOf(() => openStore(`${newStorePath()} `)).code).toBe("path_unusable");
  });

  test("a path below a file is refused", () => {
    const path = newStorePath();
    writeFileSync(path, "");
    expect(refusalOf(() => openStore(`${path}/keyward.db`)).code).toBe("cannot_create");
  });

  test("the sentence names the file, the case, the values and the way out", () => {
    const path = newStorePath();
    makeAltered(`PRAGMA user_version = ${SCHEMA_VERSION + 6}`)(path);
    expect(refusalOf(() => openStore(path)).message).toBe(
      `database ${path}: a newer Keyward has written it; start that version or a later one ` +
        `(it has ${SCHEMA_VERSION + 6}, at most ${SCHEMA_VERSION} is known)`,
    );
  });
});

describe("what this user may not touch is refused", () => {
  const opened = "opened";
  test.each([
    { title: "its own file with its own directory", file: 0o600, directory: 0o700, writer: opened, reader: opened },
    { title: "a file that it may not read", file: 0o000, directory: 0o700, writer: "unreadable", reader: "unreadable" },
    { title: "a file that it may not write", file: 0o400, directory: 0o700, writer: "read_only", reader: opened },
    {
      title: "a directory that it may not write",
      file: 0o600,
      directory: 0o500,
      writer: "read_only",
      reader: "read_only",
    },
    {
      title: "a directory that it may not enter",
      file: 0o600,
      directory: 0o000,
      writer: "unreadable",
      reader: "unreadable",
    },
  ])("$title: writer $writer, reader $reader", ({ file, directory, writer, reader }) => {
    const path = newStorePath();
    makeStore(path);
    chmodSync(path, file);
    chmodSync(dirname(path), directory);
    giveAway(path, dirname(path));
    expect(runChild("open.ts", ["reader", path], { asNobody: true }).stdout).toBe(reader);
    expect(runChild("open.ts", ["writer", path], { asNobody: true }).stdout).toBe(writer);
    chmodSync(dirname(path), 0o700);
  });

  // Only root can make a file that somebody else owns.
  test.runIf(process.getuid?.() === 0)("another user's file that all may read: exposed", () => {
    const path = newStorePath();
    makeStore(path);
    chmodSync(path, 0o666);
    giveAway(dirname(path));
    expect(runChild("open.ts", ["writer", path], { asNobody: true }).stdout).toBe("exposed");
  });
});

function giveAway(...paths: string[]): void {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) chownSync(path, nobody, nobody);
}
