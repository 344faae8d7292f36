import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { until } from "../support/until.ts";

/** Copies one database over another with SQLite's own backup: one transaction into the file that is there. */
async function copy(from: string, to: string): Promise<void> {
  const source = new Database(from, { readonly: true });
  try {
    // Where the other file is locked, as while the use of keys is written down, nothing is copied and no error thrown.
    await until("the other file is free", async () => (await source.backup(to)).totalPages > 0);
  } finally {
    source.close();
  }
}

const backupOf = ({ folder }: Keyward) => join(folder, "backup.db");

describe("a database that was restored in place", () => {
  test("says again what it said then: later keys are unknown, later revocations undone", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    const reasons = (...secrets: string[]) =>
      Promise.all(secrets.map(async (secret) => (await client.present(secret)).reason));

    const early = await createKey(keyward.adminSocket);
    await copy(keyward.database, backupOf(keyward));
    const late = await createKey(keyward.adminSocket);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: early.id });
    expect(await reasons(early.secret, late.secret)).toEqual(["key_revoked", "allowed"]);

    await copy(backupOf(keyward), keyward.database);
    await until("the later key is unknown", async () => (await reasons(late.secret))[0] === "unknown_key");
    expect(await reasons(early.secret, late.secret)).toEqual(["allowed", "unknown_key"]);
    expect(await client.health()).toBe("SERVING");
  });

  test("is followed by a process that only serves checks, too", async () => {
    const folder = folderForThisTest();
    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    const client = checkClientForThisTest(checks.authz);
    const reason = async (secret: string) => (await client.present(secret)).reason;

    const early = await createKey(admin.adminSocket);
    await copy(admin.database, backupOf(admin));
    const late = await createKey(admin.adminSocket);
    await until("the later key opens", async () => (await reason(late.secret)) === "allowed");
    await copy(backupOf(admin), admin.database);
    await until("the later key is unknown", async () => (await reason(late.secret)) === "unknown_key");
    expect(await reason(early.secret)).toBe("allowed");
    await adminCall(admin.adminSocket, "KeyService/RevokeKey", { key: early.id });
    await until("the early key is refused", async () => (await reason(early.secret)) === "key_revoked");
  });

  test.each<[string, (isUnknown: () => Promise<boolean>) => Promise<void>]>([
    ["once the check threads have seen that it was", (isUnknown) => until("the later key is unknown", isUnknown)],
    ["at once", async () => {}],
  ])("has a revocation enforced before the call is answered, %s", async (_, wait) => {
    const keyward = await keywardForThisTest({ flags: ["--check-threads", "2"] });
    // Threads share the port, so that more connections than one reach more than one of them.
    const clients = Array.from({ length: 6 }, () => checkClientForThisTest(keyward.authz));
    const [first] = clients;
    const seen: string[] = [];
    for (let round = 0; round < 10; round++) {
      const { id, secret } = await createKey(keyward.adminSocket);
      await copy(keyward.database, backupOf(keyward));
      // The change that the restored file will not know of has the number that the revocation is going to have.
      const lost = await createKey(keyward.adminSocket);
      const reasons = async () =>
        new Set(await Promise.all(clients.map(async (client) => (await client.present(secret)).reason)));
      const before = await reasons();
      await copy(backupOf(keyward), keyward.database);
      await wait(async () => (await first?.present(lost.secret))?.reason === "unknown_key");
      const { enforced } = await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id });
      seen.push([...before, `enforced: ${enforced}`, ...(await reasons())].join(", "));
    }
    expect(new Set(seen)).toEqual(new Set(["allowed, enforced: true, key_revoked"]));
  });
});
