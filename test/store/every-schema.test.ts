import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { migrations, SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { adminCall } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

// Databases that earlier programs made, against what those programs answered: fixtures/README.md says how.

interface Recorded {
  readonly keys: readonly {
    readonly secret: string;
    readonly checks: readonly {
      readonly method: string;
      readonly path: string;
      readonly extensions: Readonly<Record<string, string>>;
      readonly reason: string;
    }[];
    readonly record: { readonly id: string };
  }[];
  readonly adminKeys: readonly { readonly secret: string; readonly status: number }[];
}

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const VERSIONS = migrations.map((_, index) => index + 1);

/** A copy of the database that a program of the schema left, and what that program answered. */
function left(version: number): { folder: string; path: string } & Recorded {
  const folder = folderForThisTest();
  const path = join(folder, "keyward.db");
  copyFileSync(fixture(`schema-${version}.db`), path);
  return { folder, path, ...JSON.parse(readFileSync(fixture(`schema-${version}.json`), "utf8")) };
}

/** What stands in a file, without opening the store. */
function read(path: string, sql: string): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).raw().all();
  } finally {
    db.close();
  }
}

const KEYS = "SELECT id, hex(digest), revision, revoked_at_ms FROM keys ORDER BY id";

describe("a database of schema", () => {
  test.each(VERSIONS)("%i is served by this program as it was by the one that made it", async (version) => {
    const { folder, keys, adminKeys } = left(version);
    // What opens the fixtures' signing keys.
    const env = { KEYWARD_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64") };
    const keyward = await keywardForThisTest({ folder, env });
    const { keys: found } = await adminCall<{ keys: unknown[] }>(keyward.adminSocket, "KeyService/ListKeys", {});
    expect(found).toMatchObject(keys.map(({ record }) => record));

    const client = checkClientForThisTest(keyward.authz);
    const asked = keys.flatMap(({ secret, checks }) => checks.map((check) => ({ secret, ...check })));
    const answers = await Promise.all(
      asked.map(async ({ secret, reason: _, ...request }) => (await client.present(secret, request)).reason),
    );
    expect(answers).toEqual(asked.map(({ reason }) => reason));
    expect(new Set(answers)).toContain("allowed");

    const statuses = await Promise.all(
      adminKeys.map(async ({ secret }) => {
        const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
        const url = `http://${keyward.admin}/keyward.admin.v1.KeyService/ListKeys`;
        return (await fetch(url, { method: "POST", headers, body: "{}" })).status;
      }),
    );
    expect(statuses).toEqual(adminKeys.map(({ status }) => status));
  });

  test.each(VERSIONS.filter((version) => version < SCHEMA_VERSION))(
    "%i is copied before it is updated, to a file that the earlier program can be given",
    async (version) => {
      const { folder, path } = left(version);
      const before = read(path, KEYS);
      const keyward = await keywardForThisTest({ folder });
      const copy = `${path}.schema-${version}.bak`;
      expect(read(copy, "PRAGMA user_version")).toEqual([[version]]);
      expect(read(copy, KEYS)).toEqual(before);
      expect(read(copy, "PRAGMA integrity_check")).toEqual([["ok"]]);
      expect((statSync(copy).mode & 0o777).toString(8)).toBe("600");
      const line = keyward
        .log()
        .split("\n")
        .find((text) => text.includes("the schema of the database was updated"));
      expect(JSON.parse(line ?? "{}")).toMatchObject({
        level: "info",
        copy,
        from_schema: version,
        to_schema: SCHEMA_VERSION,
      });
    },
  );

  test("of this program is not copied", () => {
    const { path } = left(SCHEMA_VERSION);
    const store = openStore(path);
    expect([store.upgradeCopy, existsSync(`${path}.schema-${SCHEMA_VERSION}.bak`)]).toEqual([undefined, false]);
    store.close();
  });

  test("1 is not updated where no copy can be made, and not touched", () => {
    const { path } = left(1);
    // Nothing gets the copy's name: a directory that is not empty has it.
    const taken = `${path}.schema-1.bak`;
    mkdirSync(join(taken, "something"), { recursive: true });
    expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "no_copy" }));
    expect(read(path, "PRAGMA user_version")).toEqual([[1]]);
  });
});
