import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf } from "../store/support/keys.ts";
import { damagePages, makeLargeStore } from "../store/support/large-store.ts";
import { createKey } from "../support/admin-call.ts";
import { examinersOf } from "../support/examiners.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { readMetrics } from "../support/metrics.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

// A large database is served before it is read through. Here the process that reads it is held until `read` is called.

const [one, two] = [secretOf("one"), secretOf("two")];
const held = { NODE_OPTIONS: `--import=${new URL("./children/held-examiner.ts", import.meta.url)}` };
const SENTENCE = "it is damaged or cut off; restore a backup";

/** A folder with a large database that holds both keys. */
function largeFolder(): { folder: string; database: string; read(): void } {
  const folder = folderForThisTest();
  const database = join(folder, "keyward.db");
  makeLargeStore(database, [digestOf(one), digestOf(two)]);
  return { folder, database, read: () => writeFileSync(join(folder, "read"), "") };
}

const damageOne = (database: string) => damagePages(database, "keys", Buffer.from(digestOf(one), "hex"));

async function readiness({ ops }: Keyward): Promise<string> {
  return (await fetch(`http://${ops}/readyz`)).text();
}

async function unreadSeconds({ ops }: Keyward): Promise<number> {
  const metrics = await (await fetch(`http://${ops}/metrics`)).text();
  return readMetrics(metrics).get("keyward_database_unread_seconds") ?? Number.NaN;
}

describe("a large database", () => {
  test("is served and changed before it is read through, by one process, and all tells of that", async () => {
    const { folder, read } = largeFolder();
    const keyward = await keywardForThisTest({ folder, env: held, flags: ["--check-threads", "2"] });
    const client = checkClientForThisTest(keyward.authz);
    expect((await client.present(one)).reason).toBe("allowed");
    expect((await client.present(secretOf("other"))).reason).toBe("unknown_key");
    const { secret } = await createKey(keyward.adminSocket);
    expect((await client.present(secret)).reason).toBe("allowed");
    expect(await readiness(keyward)).toMatch(/^ready\nthe database is read through while it is served, since \d+ s\n$/);
    expect(await unreadSeconds(keyward)).toBeGreaterThan(0);
    expect(examinersOf(keyward.pid)).toHaveLength(1);
    read();
    await until("it is read through", async () => (await readiness(keyward)) === "ready\n");
    expect(await unreadSeconds(keyward)).toBe(0);
    await logged(keyward, "the database was read through and is whole");
    expect((await client.present(one)).reason).toBe("allowed");
  });

  test.each([
    ["all", "everything"],
    ["authz", "keys"],
  ])(
    "that is damaged ends a program of mode %s, which reads %s, and is not served by the next one",
    async (mode, _) => {
      const { folder, database, read } = largeFolder();
      damageOne(database);
      const flags = ["--mode", mode, "--shutdown-delay", "10m"];
      const keyward = await keywardForThisTest({ folder, env: held, flags });
      const client = checkClientForThisTest(keyward.authz);
      expect((await client.present(one)).reason).toBe("store_unavailable");
      expect((await client.present(two)).reason).toBe("allowed");
      read();
      expect(await keyward.ended).toBe("Keyward ended (exit code 1)");
      expect(keyward.log()).toContain(`ended because database ${database}: ${SENTENCE}`);
      await expect(keywardForThisTest({ folder })).rejects.toThrow(SENTENCE);
      const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
      expect((await checkClientForThisTest(checks.authz).present(two)).reason).toBe("store_unavailable");
      await logged(checks, SENTENCE);
    },
  );

  test.each([
    ["all", "ended because database"],
    ["admin", "ended because database"],
    ["authz", "the database was read through and is whole"],
  ])("whose audit trail is damaged: in mode %s, %s", async (mode, told) => {
    const { folder, database, read } = largeFolder();
    damagePages(database, "audit", "keys.create");
    read();
    const keyward = await keywardForThisTest({ folder, env: held, flags: ["--mode", mode] });
    await logged(keyward, told);
  });

  test("whose reader is killed is served on, and the log says that it is tried again", async () => {
    const { folder } = largeFolder();
    const keyward = await keywardForThisTest({ folder, env: held });
    await until("it is being read", () => examinersOf(keyward.pid).length === 1);
    for (const reader of examinersOf(keyward.pid)) process.kill(reader, "SIGKILL");
    await until("it is told", () =>
      keyward.log().includes("the database could not be read through; it is tried again"),
    );
    expect((await checkClientForThisTest(keyward.authz).present(one)).reason).toBe("allowed");
    expect(await unreadSeconds(keyward)).toBeGreaterThan(0);
  });

  test("holds up no end: the program ends, and who reads for it", async () => {
    const { folder } = largeFolder();
    const keyward = await keywardForThisTest({ folder, env: held });
    await until("it is being read", () => examinersOf(keyward.pid).length === 1);
    const [reader = 0] = examinersOf(keyward.pid);
    process.kill(keyward.pid, "SIGTERM");
    expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
    await until("its reader is gone", () => !isAlive(reader));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
