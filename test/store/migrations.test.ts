import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { migrate, migrations, readSchemaVersion, SCHEMA_VERSION } from "../../src/store/migrations.ts";

const steps = ["CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b VALUES (1)"];

function emptyDatabase(): Database.Database {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  return db;
}

function tables(db: Database.Database): unknown[] {
  return db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
}

test("an empty database is brought to the last version", () => {
  const db = emptyDatabase();
  migrate(db);
  expect(readSchemaVersion(db)).toBe(SCHEMA_VERSION);
  expect(SCHEMA_VERSION).toBe(migrations.length);
  expect(tables(db)).toEqual([
    "admin_keys",
    "audit",
    "audit_head",
    "audit_purged",
    "changes",
    "identity",
    "import_rows",
    "imports",
    "key_sightings",
    "key_usage",
    "keys",
    "owners",
    "request_ids",
    "signing_keys",
    "usage_sources",
  ]);
});

test("every table is STRICT", () => {
  const db = emptyDatabase();
  migrate(db);
  const strict = db.prepare("SELECT DISTINCT strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite_%'").pluck();
  expect(strict.all()).toEqual([1]);
});

test("only the steps that are missing are run", () => {
  const db = emptyDatabase();
  migrate(db, steps.slice(0, 1));
  migrate(db, steps);
  migrate(db, steps);
  expect(tables(db)).toEqual(["a", "b"]);
  expect(db.prepare("SELECT count(*) FROM b").pluck().get()).toBe(1);
  expect(readSchemaVersion(db)).toBe(2);
});

test("a step that fails leaves the version before it, and nothing of itself", () => {
  const db = emptyDatabase();
  const broken = [...steps.slice(0, 1), "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"];
  expect(() => migrate(db, broken)).toThrow("no such table: nowhere");
  expect(tables(db)).toEqual(["a"]);
  expect(readSchemaVersion(db)).toBe(1);
});
