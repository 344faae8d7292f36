import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../store/support/keys.ts";
import { makeLargeStore, PAGE_BYTES } from "../store/support/large-store.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { logged } from "../support/logged.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";
import { createWorld, expectNothingLost, type Facts, factsOf, SOUND, type World } from "./support/world.ts";

// What happens to a program that serves when its disk, its files or its clock fail: docs/operations.md promises each row.
// Faults of the disk itself are in test/outside/disk-faults.test.ts.

/** A fault, as seen from outside. */
interface Fault {
  /** Lets it happen; what is returned ends it. */
  strike(world: World): undefined | (() => void);
  /** What differs from a sound program meanwhile. */
  readonly during: Partial<Facts>;
  /** Waited for before anybody looks. */
  noticed?(world: World): Promise<boolean> | boolean;
  /** What the log has to say. */
  readonly says?: string;
}

const saysIt = (text: string) => (world: World) => world.keyward.log().includes(text);
const isNotServing = async (world: World) => (await world.client.health()) === "NOT_SERVING";

const LOST_LOG = "the log of the database was removed from beside it; what stood in it is brought into the file";
const NEW_WRITER = "a new writer thread has taken over";
const READ_ANEW = "the database file or its log has been replaced or removed; its keys are read anew";
/** Both threads have another log, or index: before, either answers as if nothing had happened, or not at all. */
const haveAnother = (world: World) => saysIt(NEW_WRITER)(world) && saysIt(READ_ANEW)(world);

const FAULTS: Readonly<Record<string, Fault>> = {
  "another program holds the write lock": {
    strike({ keyward }) {
      const holder = new Database(keyward.database);
      onTestFinished(() => {
        holder.close();
      });
      holder.exec("BEGIN IMMEDIATE");
      return () => holder.exec("ROLLBACK");
    },
    during: { change: "busy" },
  },
  "the file is removed": {
    strike({ keyward: { database } }) {
      renameSync(database, `${database}.away`);
      return () => renameSync(`${database}.away`, database);
    },
    noticed: isNotServing,
    during: {
      known: "store_unavailable",
      unread: "store_unavailable",
      revoked: "store_unavailable",
      change: "wrong_file",
      health: "NOT_SERVING",
      ready: 503,
    },
    says: READ_ANEW,
  },
  "the log is removed": {
    strike({ keyward: { database } }) {
      rmSync(`${database}-wal`);
      return undefined;
    },
    noticed: haveAnother,
    during: {},
    says: LOST_LOG,
  },
  "the index of the log is removed": {
    strike({ keyward: { database } }) {
      rmSync(`${database}-shm`);
      return undefined;
    },
    noticed: haveAnother,
    during: {},
    says: READ_ANEW,
  },
};

describe("a program that serves, while", () => {
  test.each(Object.entries(FAULTS))("%s, does what is documented, and recovers without a restart", async (_, fault) => {
    const world = await createWorld();
    const end = fault.strike(world);
    await until("it is noticed", () => fault.noticed?.(world) ?? true);
    if (end !== undefined) expect(await factsOf(world)).toEqual({ ...SOUND, ...fault.during });
    await logged(world.keyward, fault.says ?? "");
    end?.();
    await until("it serves again", async () => (await world.client.health()) === "SERVING");
    const unread = world.unread.at(-1)?.secret ?? "";
    await until("keys open", async () => (await world.client.present(unread)).reason === "allowed");
    await until("it is ready", async () => (await fetch(`http://${world.keyward.ops}/readyz`)).status === 200);
    expect(await factsOf(world)).toEqual(SOUND);
    await expectNothingLost(world);
  });
});

test("a program that is killed and started again has lost nothing that was acknowledged", async () => {
  const world = await createWorld();
  await world.keyward.kill();
  await world.restart();
  await until("it serves", async () => (await world.client.health()) === "SERVING");
  expect(await factsOf(world)).toEqual(SOUND);
  await expectNothingLost(world);
});

test("a log that is removed takes nothing with it that was acknowledged, also where the program is ended at once", async () => {
  const world = await createWorld();
  // With another that has it open, closing alone brings nothing into the file.
  await keywardForThisTest({ folder: world.keyward.folder, flags: ["--mode", "authz"] });
  rmSync(`${world.keyward.database}-wal`);
  await world.keyward.stop();
  await world.restart();
  await until("it serves", async () => (await world.client.health()) === "SERVING");
  expect(await factsOf(world)).toEqual(SOUND);
  await expectNothingLost(world);
});

test("a file of which a page is damaged is not served, and the sentence says what to do", async () => {
  const world = await createWorld();
  await world.keyward.stop();
  const file = openSync(world.keyward.database, "r+");
  writeSync(file, Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, 2 * PAGE_BYTES);
  closeSync(file);
  await expect(world.restart()).rejects.toThrow("it is damaged or cut off; restore a backup");
});

test("a program that was stopped (SIGSTOP) obeys at its first answer what another has changed meanwhile", async () => {
  const folder = folderForThisTest();
  const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
  const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
  const client = checkClientForThisTest(checks.authz);
  const [ended, kept] = [await createKey(admin.adminSocket), await createKey(admin.adminSocket)];
  for (const { secret } of [ended, kept]) {
    await until("the key opens", async () => (await client.present(secret)).reason === "allowed");
  }
  process.kill(checks.pid, "SIGSTOP");
  const stoppedAt = performance.now();
  // They wait in its sockets until it goes on.
  let answers: Promise<string[]>;
  try {
    await adminCall(admin.adminSocket, "KeyService/RevokeKey", { key: ended.id });
    // Longer than it usually takes until it looks for changes: then its timers are late when it goes on.
    await until("it is late", () => performance.now() - stoppedAt > 500);
    answers = Promise.all([ended, kept, ended].map(async ({ secret }) => (await client.present(secret)).reason));
    answers.catch(() => {});
  } finally {
    process.kill(checks.pid, "SIGCONT");
  }
  expect(await answers).toEqual(["key_revoked", "allowed", "key_revoked"]);
});

test("a clock that jumps ends keys as long as it is ahead, and nothing else", async () => {
  const folder = folderForThisTest();
  const setClock = (aheadMs: number) => {
    // At once: half a number would be another time.
    writeFileSync(join(folder, "next"), String(aheadMs));
    renameSync(join(folder, "next"), join(folder, "clock"));
  };
  setClock(0);
  const clock = new URL("./children/moved-clock.ts", import.meta.url);
  const keyward = await keywardForThisTest({ folder, env: { NODE_OPTIONS: `--import=${clock}` } });
  const client = checkClientForThisTest(keyward.authz);
  const [endless, ending] = [
    await createKey(keyward.adminSocket),
    await createKey(keyward.adminSocket, { expiresIn: "3600s" }),
  ];
  const reasons = () => Promise.all([endless, ending].map(async ({ secret }) => (await client.present(secret)).reason));
  expect(await reasons()).toEqual(["allowed", "allowed"]);
  setClock(7_200_000);
  expect(await reasons()).toEqual(["allowed", "key_expired"]);
  expect(await client.health()).toBe("SERVING");
  setClock(-86_400_000);
  expect(await reasons()).toEqual(["allowed", "allowed"]);
  const { key } = await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: endless.id });
  expect(key.state).toBe("KEY_STATE_REVOKED");
  setClock(0);
  expect(await reasons()).toEqual(["key_revoked", "allowed"]);
});

test("a check thread that dies again and again ends the program, with a sentence that says so", async () => {
  const folder = folderForThisTest();
  const dying = new URL("./children/dying-thread.ts", import.meta.url);
  const keyward = await keywardForThisTest({ folder, env: { NODE_OPTIONS: `--import=${dying}` } });
  const client = checkClientForThisTest(keyward.authz);
  await until("it serves", async () => (await client.health()) === "SERVING");
  writeFileSync(join(folder, "die"), "");
  await until("the deaths are counted", async () => {
    const metrics = await (await fetch(`http://${keyward.ops}/metrics`)).text();
    return (byLabel(readMetrics(metrics), "keyward_thread_restarts_total", "thread").get("check") ?? 0) >= 2;
  });
  expect(await keyward.ended).toBe("Keyward ended (exit code 1)");
  const sentence = "the check 0 thread died 6 times in a row within 30 s of its start";
  expect(keyward.log()).toContain(sentence);
  expect(keyward.log()).toContain(`ended because ${sentence}`);
});

test("a database of a hundred megabytes is served and changed", async () => {
  // 2 GB take minutes on a slow disk: docs/operations.md has those figures.
  const folder = folderForThisTest();
  const path = join(folder, "keyward.db");
  makeLargeStore(path, [digestOf(secretOf("one"))], 20_000);
  const keyward = await keywardForThisTest({ folder });
  const client = checkClientForThisTest(keyward.authz);
  await until("it serves", async () => (await client.health()) === "SERVING");
  expect((await client.present(secretOf("one"))).reason).toBe("allowed");
  const { secret } = await createKey(keyward.adminSocket);
  expect((await client.present(secret)).reason).toBe("allowed");
});
