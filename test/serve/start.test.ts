import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { type Child, startChild } from "../support/child.ts";
import { cleanEnvironment, KEYWARD_MAIN } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest } from "../support/for-this-test.ts";
import { freePorts } from "../support/ports.ts";
import { until } from "../support/until.ts";

/** A database that has to be brought up first, and somebody who holds its lock: the start goes on until they let go. */
function heldDatabase(): { database: string; release(): void } {
  const database = join(folderForThisTest(), "keyward.db");
  copyFileSync(new URL("../store/fixtures/schema-1.db", import.meta.url), database);
  const holder = new Database(database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  return { database, release: () => holder.exec("ROLLBACK") };
}

/** A Keyward that is about to start, once its ops listener answers. */
async function startingKeyward(database: string): Promise<Child & { authz: string; readiness(): Promise<unknown[]> }> {
  const [authz, admin, ops] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  const readiness = async () => {
    const response = await fetch(`http://${ops}/readyz`);
    return [response.status, await response.text()];
  };
  const listen = [
    `--listen-authz=${authz}`,
    `--listen-admin=${admin}`,
    `--listen-ops=${ops}`,
    "--listen-forward-auth=off",
  ];
  const folder = join(database, "..");
  const child = await startChild({
    name: "Keyward",
    command: process.execPath,
    args: [KEYWARD_MAIN, "serve", "--database", database, "--shutdown-delay=0", ...listen],
    cwd: folder,
    env: cleanEnvironment(folder),
    ready: async () => (await readiness()).length > 0,
  });
  onTestFinished(child.stop);
  return { ...child, authz: authz ?? "", readiness };
}

const STARTING = [503, "not ready\nthe program is starting\n"];

test("until the store is ready the ops listener says so, and nobody else answers", async () => {
  const { database, release } = heldDatabase();
  const keyward = await startingKeyward(database);
  expect(await keyward.readiness()).toEqual(STARTING);
  await expect(checkClientForThisTest(keyward.authz).health()).rejects.toMatchObject({ code: 14 });
  release();
  await until("it is ready", async () => (await keyward.readiness())[0] === 200);
  expect(await checkClientForThisTest(keyward.authz).health()).toBe("SERVING");
});

test.each(["SIGTERM", "SIGINT"] as const)("%s while it starts ends it at once, with 0", async (signal) => {
  const { database, release } = heldDatabase();
  const keyward = await startingKeyward(database);
  expect(await keyward.readiness()).toEqual(STARTING);
  process.kill(keyward.pid, signal);
  expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
  expect(keyward.stderr()).toContain(`"${signal} while starting: stopped"`);
  release();
  const again = await startingKeyward(database);
  await until("the next one is ready", async () => (await again.readiness())[0] === 200);
});
