import { existsSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { until } from "../support/until.ts";

/** So many lines of the log tell that what is open is opened anew. */
function openings(keyward: Keyward): number {
  return keyward.log().split("has been replaced or removed; its keys are read anew").length - 1;
}

async function isReady({ ops }: Keyward): Promise<boolean> {
  return (await (await fetch(`http://${ops}/readyz`)).text()) === "ready\n";
}

/** What all of these programs say of a key, once they say the same. */
async function reasonOf(secret: string, reason: string, programs: readonly Keyward[]): Promise<void> {
  for (const [place, { authz }] of programs.entries()) {
    const client = checkClientForThisTest(authz);
    await until(`program ${place} says ${reason}`, async () => (await client.present(secret)).reason === reason);
  }
}

describe("beside a database that programs serve and change", () => {
  test.each([
    ["the log", ["-wal"]],
    ["the index of the log", ["-shm"]],
    ["the log and its index", ["-wal", "-shm"]],
  ])(
    "%s is removed: nothing is lost, and what is changed then is obeyed by all, those that start later, too",
    async (_, endings) => {
      const folder = folderForThisTest();
      const admin = await keywardForThisTest({ folder, flags: ["--check-threads", "2"] });
      const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
      const make = () => createKey(admin.adminSocket);
      const [kept, before, after] = [await make(), await make(), await make()];
      await reasonOf(after.secret, "allowed", [admin, checks]);
      await adminCall(admin.adminSocket, "KeyService/RevokeKey", { key: before.id });

      for (const ending of endings) rmSync(admin.database + ending);
      await until("all threads have opened another", () => openings(admin) >= 2 && openings(checks) >= 1);
      await logged(admin, "a new writer thread has taken over");
      await until("both are ready", async () => (await isReady(admin)) && (await isReady(checks)));
      const files = ["-wal", "-shm"].map((ending) => existsSync(admin.database + ending));

      const later = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
      const revoked = await adminCall(admin.adminSocket, "KeyService/RevokeKey", { key: after.id });
      expect([revoked.enforced, files]).toEqual([true, [true, true]]);
      const all = [admin, checks, later];
      await reasonOf(after.secret, "key_revoked", all);
      await reasonOf(before.secret, "key_revoked", all);
      await reasonOf(kept.secret, "allowed", all);
    },
  );
});
