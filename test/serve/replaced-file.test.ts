import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { digestOf, local, sampleKey } from "../store/support/keys.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

/** The only key of the database that is put in the place of another. */
const NEW = secretOf("of the other database");

/** A whole database in one file, elsewhere. */
function otherDatabase(): string {
  const path = join(folderForThisTest(), "other.db");
  const store = openStore(path);
  store.createKey({ ...sampleKey("new"), digest: digestOf(NEW) }, local, Date.now());
  store.close();
  return path;
}

/** Puts a file in the place of the database as an operator would, who knows nothing of logs. */
const renameOver = (keyward: Keyward, path = otherDatabase()) => renameSync(path, keyward.database);

async function readiness(keyward: Keyward): Promise<unknown[]> {
  const response = await fetch(`http://${keyward.ops}/readyz`);
  return [response.status, await response.text()];
}

/** Both have to be gone through: a key is made on the admin side, and opens. */
async function madeKeyOpens(admin: Keyward, checks: Keyward = admin): Promise<void> {
  const { secret } = await createKey(admin.adminSocket);
  const client = checkClientForThisTest(checks.authz);
  await until("the new key opens", async () => (await client.present(secret)).reason === "allowed");
}

describe("a database that another was put in the place of", () => {
  test.each<[string, (keyward: Keyward) => void]>([
    ["by renaming, which leaves the log of the old one", renameOver],
    [
      "after the old one and its log were removed",
      (keyward) => {
        for (const ending of ["", "-wal", "-shm"]) rmSync(keyward.database + ending);
        renameOver(keyward);
      },
    ],
  ])("%s, is read anew: its own key opens, and the old ones are unknown", async (_, replace) => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    const cached = await createKey(keyward.adminSocket);
    const unread = await createKey(keyward.adminSocket);
    expect((await client.present(cached.secret)).reason).toBe("allowed");
    expect((await client.present(NEW)).reason).toBe("unknown_key");

    replace(keyward);
    await until("the new file is served", async () => (await client.present(NEW)).reason === "allowed");
    const old = await Promise.all([cached, unread].map(({ secret }) => client.present(secret)));
    expect(old.map(({ reason }) => reason)).toEqual(["unknown_key", "unknown_key"]);
    expect(await client.health()).toBe("SERVING");

    const said = "the database file or its log has been replaced or removed; its keys are read anew";
    await logged(keyward, said);
    await logged(keyward, "a new writer thread has taken over");
    const { key } = await adminCall(keyward.adminSocket, "KeyService/GetKey", { key: NEW });
    expect(await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: key.id })).toMatchObject({
      enforced: true,
    });
    expect((await client.present(NEW)).reason).toBe("key_revoked");
    await madeKeyOpens(keyward);
    expect(await readiness(keyward)).toEqual([200, "ready\n"]);
  });

  test("by leading a link elsewhere, is read anew, and the old one keeps its log", async () => {
    const folder = folderForThisTest();
    const [real, link] = [join(folder, "real.db"), join(folder, "keyward.db")];
    openStore(real).close();
    symlinkSync(real, link);
    const keyward = await keywardForThisTest({ folder });
    const client = checkClientForThisTest(keyward.authz);
    const { id, secret } = await createKey(keyward.adminSocket);
    expect((await client.present(secret)).reason).toBe("allowed");

    symlinkSync(otherDatabase(), join(folder, "next"));
    renameSync(join(folder, "next"), link);
    await until("the new file is served", async () => (await client.present(NEW)).reason === "allowed");
    expect((await client.present(secret)).reason).toBe("unknown_key");
    await logged(keyward, "a new writer thread has taken over");
    await madeKeyOpens(keyward);

    const old = openStore(real);
    expect(old.keyById(id)?.id).toBe(id);
    old.close();
  });

  test("is whole after it, and holds what was changed since", async () => {
    const keyward = await keywardForThisTest();
    await createKey(keyward.adminSocket);
    renameOver(keyward);
    await logged(keyward, "a new writer thread has taken over");
    const made = await createKey(keyward.adminSocket);

    const reader = new Database(keyward.database, { readonly: true });
    const ids = reader.prepare("SELECT id FROM keys ORDER BY created_at_ms").pluck().all();
    const verdict = reader.pragma("integrity_check", { simple: true });
    reader.close();
    expect({ verdict, ids }).toEqual({ verdict: "ok", ids: ["key_new", made.id] });
  });

  test("is followed by a process that only serves checks, too", async () => {
    const folder = folderForThisTest();
    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    const client = checkClientForThisTest(checks.authz);
    const { secret } = await createKey(admin.adminSocket);
    await until("the old key opens", async () => (await client.present(secret)).reason === "allowed");
    expect((await client.present(NEW)).reason).toBe("unknown_key");

    renameOver(admin);
    await until("the new file is served", async () => (await client.present(NEW)).reason === "allowed");
    expect((await client.present(secret)).reason).toBe("unknown_key");
    await logged(admin, "a new writer thread has taken over");
    await madeKeyOpens(admin, checks);
  });

  test("is not served beside the log of the old one, where no admin side is there to remove it", async () => {
    const folder = folderForThisTest();
    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    const client = checkClientForThisTest(checks.authz);
    const { secret } = await createKey(admin.adminSocket);
    await until("the old key opens", async () => (await client.present(secret)).reason === "allowed");
    await admin.kill();

    renameOver(admin);
    await until("nothing is served", async () => (await client.health()) === "NOT_SERVING");
    const reasons = await Promise.all([secret, NEW].map(async (key) => (await client.present(key)).reason));
    expect(reasons).toEqual(["store_unavailable", "store_unavailable"]);
    const { database } = checks;
    const said = `the log beside it belongs to the file that was there before; the side that serves the admin API removes it, or remove ${database}-wal and ${database}-shm`;
    await logged(checks, said);

    for (const ending of ["-wal", "-shm"]) rmSync(database + ending);
    await until("the new file is served", async () => (await client.health()) === "SERVING");
    const later = await Promise.all([secret, NEW].map(async (key) => (await client.present(key)).reason));
    expect(later).toEqual(["unknown_key", "allowed"]);
  });

  test("leaves /readyz at 503 until a new writer has taken over, while checks go on", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    expect(await readiness(keyward)).toEqual([200, "ready\n"]);
    // Where the new writer wants to listen lies something that it does not remove, so it cannot start yet.
    rmSync(keyward.adminSocket);
    mkdirSync(keyward.adminSocket);

    renameOver(keyward);
    await until("the new file is served", async () => (await client.present(NEW)).reason === "allowed");
    await logged(keyward, "the new writer thread cannot start");
    expect(await readiness(keyward)).toEqual([503, "not ready\nthe writer thread does not run\n"]);
    expect((await fetch(`http://${keyward.ops}/healthz`)).status).toBe(200);
    expect(await client.health()).toBe("SERVING");

    rmdirSync(keyward.adminSocket);
    await logged(keyward, "a new writer thread has taken over");
    expect(await readiness(keyward)).toEqual([200, "ready\n"]);
  });
});

describe("a database that was removed", () => {
  test("denies every key, refuses every change, and is not made anew", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    const { id, secret } = await createKey(keyward.adminSocket);
    expect((await client.present(secret)).reason).toBe("allowed");

    for (const ending of ["", "-wal", "-shm"]) rmSync(keyward.database + ending);
    await until("nothing is served", async () => (await client.health()) === "NOT_SERVING");
    const verdict = await client.present(secret);
    expect(verdict).toMatchObject({ code: 7, answer: "denied", status: 503, reason: "store_unavailable" });
    expect((await client.present(secretOf("nobody's"))).reason).toBe("store_unavailable");
    expect(await readiness(keyward)).toEqual([503, "not ready\ncheck thread 0 does not answer from the store\n"]);

    const refused = /answered with 503: .*"the store cannot do this now \(wrong_file\); nothing was changed"/;
    await expect(createKey(keyward.adminSocket)).rejects.toThrow(refused);
    await expect(adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id })).rejects.toThrow(refused);
    expect(existsSync(keyward.database)).toBe(false);

    renameOver(keyward);
    await until("another is served in its place", async () => (await client.present(NEW)).reason === "allowed");
    expect((await client.present(secret)).reason).toBe("unknown_key");
  });

  test("and is put back in place is served as it was, with what stood in its log only", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    const kept = await createKey(keyward.adminSocket);
    const revoked = await createKey(keyward.adminSocket);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: revoked.id });

    const aside = join(keyward.folder, "aside.db");
    renameSync(keyward.database, aside);
    await until("nothing is served", async () => (await client.health()) === "NOT_SERVING");
    renameSync(aside, keyward.database);
    await until("it is served again", async () => (await client.health()) === "SERVING");
    const reasons = await Promise.all([kept, revoked].map(async ({ secret }) => (await client.present(secret)).reason));
    expect(reasons).toEqual(["allowed", "key_revoked"]);
    await madeKeyOpens(keyward);
  });
});

describe("a change that is made before anybody has noticed", () => {
  test.each<[string, (path: string, other: string) => void]>([
    ["that another file is there", (path, other) => renameSync(other, path)],
    ["that no file is there", (path) => rmSync(path)],
  ])("%s, is refused and kept nowhere", (_, replace) => {
    const path = join(folderForThisTest(), "keyward.db");
    const store = openStore(path);
    store.createKey(sampleKey("before"), local, 1);
    replace(path, otherDatabase());
    expect(() => store.createKey(sampleKey("after"), local, 2)).toThrow(
      "the file or its log has been replaced or removed",
    );
    expect([store.keyById("key_before")?.id, store.keyById("key_after")]).toEqual(["key_before", undefined]);
    store.close();
  });

  test("that another file is there, does not reach it by the log", () => {
    const path = join(folderForThisTest(), "keyward.db");
    const before = openStore(path);
    before.createKey(sampleKey("before"), local, 1);
    renameSync(otherDatabase(), path);
    before.close();
    const after = openStore(path);
    expect([after.keyById("key_new")?.id, after.keyById("key_before")]).toEqual(["key_new", undefined]);
    after.close();
  });
});
