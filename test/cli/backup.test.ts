import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { SystemService } from "../../src/gen/keyward/admin/v1/system_service_pb.ts";
import { inspectCopy } from "../../src/store/sound-copy.ts";
import { verifiedTrail } from "../faults/support/whole-store.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { runCli } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

/** What a file holds of keys, in the order of their ids. */
function keysIn(path: string): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare("SELECT id FROM keys ORDER BY id").pluck().all();
  } finally {
    db.close();
  }
}

describe("keyward backup", () => {
  test("copies a database that is served, to a whole file of its user alone", async () => {
    const keyward = await keywardForThisTest();
    const ids = [(await createKey(keyward.adminSocket)).id, (await createKey(keyward.adminSocket)).id];
    const file = join(keyward.folder, "copy.db");
    const { code, stdout, stderr } = await keyward.cli("backup", file, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ file, bytes: statSync(file).size, keys: 2, revision: 2 });
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(keysIn(file)).toEqual(ids.toSorted());
    expect(inspectCopy(file).keys).toBe(2);
    expect(readdirSync(keyward.folder).filter((name) => name.startsWith("copy.db"))).toEqual(["copy.db"]);
    expect(readdirSync(keyward.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
  });

  test("is told of in the audit trail, and the copy holds that and is whole", async () => {
    const keyward = await keywardForThisTest();
    await createKey(keyward.adminSocket);
    const file = join(keyward.folder, "copy.db");
    expect((await keyward.cli("backup", file, "-q")).stdout).toBe(`${file}\n`);
    const events = await adminCall<{ events: object[] }>(keyward.adminSocket, "AuditService/ListEvents", {
      filter: 'action="system.backup"',
    });
    expect(events.events).toMatchObject([{ action: "system.backup", actor: "local", revision: "1" }]);
    expect(verifiedTrail(file)).toEqual({ broken: undefined, last: "system.backup" });
  });

  test("needs the admin scope system:write over the network", async () => {
    const keyward = await keywardForThisTest();
    const file = join(keyward.folder, "copy.db");
    const over = async (scopes: string) => {
      const { stdout } = await keyward.cli("admin-keys", "create", "--name", "x", "--scopes", scopes, "-q");
      writeFileSync(join(keyward.folder, "key"), stdout, { mode: 0o600 });
      return keyward.cli("backup", file, "-q", "--admin-url", `http://${keyward.admin}`, "--admin-key-file", "key");
    };
    expect(await over("keys:read,keys:write,owners:write,audit:read,admins:write")).toMatchObject({
      code: 1,
      stdout: "",
    });
    expect(existsSync(file)).toBe(false);
    expect(await over("system:write")).toMatchObject({ code: 0, stdout: `${file}\n` });
  });

  test("reads the database itself where nobody serves", async () => {
    const folder = folderForThisTest();
    const keyward = await keywardForThisTest({ folder });
    const { id } = await createKey(keyward.adminSocket);
    // Killed, so that what was changed last stands in the log only.
    await keyward.kill();
    const file = join(folder, "copy.db");
    expect(await keyward.cli("backup", file, "-q")).toEqual({ code: 0, stdout: `${file}\n`, stderr: "" });
    expect(keysIn(file)).toEqual([id]);
  });

  test("neither replaces a file without --force, nor leaves one behind when it fails", async () => {
    const folder = folderForThisTest();
    const env = { KEYWARD_DATABASE: join(folder, "none.db") };
    writeFileSync(join(folder, "there"), "something");
    mkdirSync(join(folder, "directory"));
    const backup = (...args: string[]) => runCli(["backup", ...args], { cwd: folder, env });
    expect(await backup("there")).toMatchObject({
      code: 2,
      stderr: "keyward: there is there; choose another name or give --force\n",
    });
    const missing = await backup("there", "--force");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^keyward: database \S+none\.db: there is no such file; .*\n$/);
    expect((await backup("no/such/directory")).stderr).toMatch(/^keyward: ENOENT: no such file or directory, .*\n$/);
    expect(readFileSync(join(folder, "there"), "utf8")).toBe("something");
    expect(readdirSync(folder).toSorted()).toEqual(["directory", "there"]);
  });

  test("holds all that was acknowledged before it began, and checks go on, while others change the database", async () => {
    const keyward = await keywardForThisTest();
    const { secret, id } = await createKey(keyward.adminSocket);
    const client = checkClientForThisTest(keyward.authz);
    const before = await Promise.all(Array.from({ length: 50 }, () => createKey(keyward.adminSocket)));
    let done = false;
    const file = join(keyward.folder, "copy.db");
    const backup = keyward.cli("backup", file, "-q").finally(() => {
      done = true;
    });
    const reasons = new Set<string>();
    while (!done) {
      await createKey(keyward.adminSocket);
      reasons.add((await client.present(secret)).reason);
    }
    expect((await backup).code).toBe(0);
    expect([...reasons]).toEqual(["allowed"]);
    expect(keysIn(file)).toEqual(expect.arrayContaining([id, ...before.map((key) => key.id)]));
    expect(verifiedTrail(file).broken).toBe(undefined);
  });
});

describe("SystemService.Backup", () => {
  test("sends a hash of all bytes at the end, and leaves nothing beside the database", async () => {
    const keyward = await keywardForThisTest();
    await createKey(keyward.adminSocket);
    const client = createClient(
      SystemService,
      createConnectTransport({
        httpVersion: "1.1",
        baseUrl: "http://local",
        nodeOptions: { socketPath: keyward.adminSocket },
      }),
    );
    const first = client.backup({})[Symbol.asyncIterator]();
    const hash = createHash("sha256");
    let part = await first.next();
    let sha256 = "";
    let bytes = 0n;
    let total = 0n;
    for (; !part.done; part = await first.next()) {
      hash.update(part.value.data);
      bytes += BigInt(part.value.data.length);
      ({ sha256, totalBytes: total } = part.value);
    }
    expect([sha256, bytes]).toEqual([hash.digest("hex"), total]);
    expect(readdirSync(keyward.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
  });
});
