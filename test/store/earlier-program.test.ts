import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKeyReader } from "../../src/store/reader.ts";
import { adminCall } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { auditRows, firstBroken } from "./support/audit-chain.ts";
import { local } from "./support/keys.ts";
import { openedStore } from "./support/stores.ts";
import { tamper, verified } from "./support/trail.ts";

// A database that an earlier program made, against what that program answered: fixtures/README.md says how.

/** A record as the admin API told it in JSON. */
interface JsonRecord {
  readonly id: string;
  readonly name: string;
  readonly tenant?: string;
  readonly owner?: string;
}

/** What the earlier program answered. */
interface Recorded {
  readonly keys: readonly {
    readonly secret: string;
    readonly checks: readonly {
      readonly method: string;
      readonly path: string;
      readonly extensions: Readonly<Record<string, string>>;
      readonly reason: string;
    }[];
    readonly record: JsonRecord;
  }[];
  /** `status` is that of a ListKeys over the network. */
  readonly adminKeys: readonly { readonly secret: string; readonly status: number; readonly record: JsonRecord }[];
}

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const { keys, adminKeys }: Recorded = JSON.parse(readFileSync(fixture("schema-1.json"), "utf8"));

/** One of them has the longest name there can be. */
const titleOf = ({ name }: JsonRecord) => name.slice(0, 40);

/** A copy of the database, under the name that the tests' Keyward has for its own. */
function copyInto(folder: string): string {
  const path = join(folder, "keyward.db");
  copyFileSync(fixture("schema-1.db"), path);
  return path;
}

describe("served by this program", () => {
  let keyward: Keyward;
  const folder = mkdtempSync(join(tmpdir(), "keyward-earlier-"));
  beforeAll(async () => {
    copyInto(folder);
    keyward = await startKeyward({ folder });
  });
  afterAll(async () => {
    await keyward?.stop();
    rmSync(folder, { recursive: true });
  });

  test.each(keys.map((key) => [titleOf(key.record), key] as const))(
    "the key %s is answered as it was",
    async (_, { secret, checks, record: { id, tenant, owner } }) => {
      const client = checkClientForThisTest(keyward.authz);
      for (const { reason, ...request } of checks) {
        const { metadata } = await client.present(secret, request);
        expect([request, metadata.reason, metadata.key_id, metadata.tenant, metadata.owner]).toEqual([
          request,
          reason,
          id,
          tenant,
          owner,
        ]);
      }
    },
  );

  test.each(keys.map(({ secret, record }) => [titleOf(record), secret, record] as const))(
    "the record of the key %s is as it was",
    async (_, secret, record) => {
      const { key } = await adminCall(keyward.adminSocket, "KeyService/GetKey", { key: secret });
      expect(key).toMatchObject(record);
    },
  );

  test("there are no more keys than there were, nor others", async () => {
    const { keys: found } = await adminCall<{ keys: JsonRecord[] }>(keyward.adminSocket, "KeyService/ListKeys", {});
    expect(found.map(({ id }) => id)).toEqual(keys.map(({ record }) => record.id));
  });

  test.each(adminKeys.map((key) => [key.record.name, key.status, key.secret] as const))(
    "the admin key %s is answered with %i, as it was",
    async (_, status, secret) => {
      const answer = await fetch(`http://${keyward.admin}/keyward.admin.v1.KeyService/ListKeys`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBe(status);
    },
  );

  test("the records of the admin keys are as they were", async () => {
    const { stdout } = await keyward.cli("admin-keys", "list", "-o", "json");
    expect(JSON.parse(stdout).keys).toMatchObject(adminKeys.map(({ record }) => record));
  });
});

test("a key of an earlier program is refused once it has been revoked, and its neighbour is not", async () => {
  const folder = folderForThisTest();
  copyInto(folder);
  const keyward = await keywardForThisTest({ folder });
  const client = checkClientForThisTest(keyward.authz);
  const reasonsOf = async () => [
    (await client.present(keys[0]?.secret ?? "")).reason,
    (await client.present(keys[3]?.secret ?? "")).reason,
  ];
  expect(await reasonsOf()).toEqual(["allowed", "allowed"]);
  expect(await keyward.cli("keys", "revoke", keys[0]?.record.id ?? "")).toMatchObject({ code: 0 });
  expect(await reasonsOf()).toEqual(["key_revoked", "allowed"]);
});

test("who only reads refuses it as older_schema until a writer has opened it", () => {
  const path = copyInto(folderForThisTest());
  expect(() => openKeyReader(path)).toThrow(expect.objectContaining({ code: "older_schema" }));
  openedStore(path).close();
  openKeyReader(path).close();
});

test("the audit trail is the one that it was, and goes on where it ended", () => {
  const path = copyInto(folderForThisTest());
  const before = auditRows(path);
  const store = openedStore(path);
  const revoked = store.revokeKey(keys[0]?.record.id ?? "", "", local, Date.now());
  const rows = auditRows(path);
  expect(before.length).toBeGreaterThan(keys.length + adminKeys.length);
  expect(rows.slice(0, before.length)).toEqual(before);
  expect(rows.at(-1)).toMatchObject({ revision: revoked?.revision, target: keys[0]?.record.id });
  expect(firstBroken(store.identity.uuid, rows)).toBe(undefined);
  expect(verified(store)).toBe(undefined);
});

test("the end of the audit trail is missed where it is cut off after the upgrade", () => {
  const path = copyInto(folderForThisTest());
  const last = auditRows(path).length;
  const store = openedStore(path);
  tamper(path, `DELETE FROM audit WHERE seq = ${last}`);
  expect(verified(store)).toEqual({ seq: last, problem: `the end is cut off: row ${last} is missing` });
});
