import type { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { formatAddress } from "../../src/config/address.ts";
import { loadSettings } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { Log } from "../../src/observe/log.ts";
import { serve } from "../../src/serve/serve.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest } from "../support/for-this-test.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

/** Every thread that this process has started: Node tells of each (`process` event "worker"). */
const workers: Worker[] = [];
const remember = (worker: Worker) => workers.push(worker);
beforeAll(() => {
  process.on("worker", remember);
});
afterAll(() => {
  process.off("worker", remember);
});

/** A program in this very process, so that its threads can be ended from outside. */
async function programForThisTest() {
  workers.length = 0;
  const lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const log: Log = (level, message, fields = {}) => lines.push({ level, message, fields });
  const folder = folderForThisTest();
  const flags = { database: `${folder}/keyward.db`, "shutdown-delay": "0" };
  const ports = {
    "listen-authz": "127.0.0.1:0",
    "listen-forward-auth": "127.0.0.1:0",
    "listen-admin": "127.0.0.1:0",
    "listen-ops": "127.0.0.1:0",
  };
  const { settings } = loadSettings({ flags: { ...flags, ...ports }, env: {}, cwd: folder });
  const program = await serve(settings, "0.0.0", log);
  onTestFinished(async () => {
    await program.stop();
  });
  const serving = lines.find(({ message }) => message === "serving")?.fields ?? {};
  const [writer, check] = workers;
  if (writer === undefined || check === undefined) throw new Error("a writer and a check thread were expected");
  return {
    program,
    settings,
    writer,
    check,
    lines,
    said: (message: string) => lines.filter((line) => line.message === message).length,
    authz: String(serving.authz),
    admin: String(serving.admin),
    database: settings.database,
    adminSocket: settings.listen.adminLocal === undefined ? "" : formatAddress(settings.listen.adminLocal).slice(5),
    metrics: async () => readMetrics(await (await fetch(`http://${serving.ops}/metrics`)).text()),
  };
}

test("a check thread that dies is replaced at the same port, and told of in the log and the metrics", async () => {
  const { check, lines, said, authz, adminSocket, metrics } = await programForThisTest();
  const { id, secret } = await createKey(adminSocket);
  const client = checkClientForThisTest(authz);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect([...byLabel(await metrics(), "keyward_thread_restarts_total", "thread")]).toEqual([
    ["writer", 0],
    ["check", 0],
  ]);

  const denial = await client.check();
  await check.terminate();
  await until("it is replaced", () => said("a new check 0 thread has taken over") === 1);
  expect(lines.filter(({ level }) => level === "error")).toEqual([
    {
      level: "error",
      message: "the check 0 thread died; a new one starts in 100 ms",
      fields: { cause: expect.stringContaining("the thread ended with code 1") },
    },
  ]);
  const after = checkClientForThisTest(authz);
  await until("the store is open again", async () => (await after.health()) === "SERVING");
  expect((await after.present(secret)).reason).toBe("allowed");

  const decisionId = denial.metadata.decision_id;
  expect(await adminCall(adminSocket, "KeyService/GetDecision", { decisionId })).toMatchObject({
    decision: { decisionId, reason: "no_credential" },
  });

  const { enforced } = await adminCall(adminSocket, "KeyService/RevokeKey", { key: id });
  expect(enforced).toBe(true);
  expect((await after.present(secret)).reason).toBe("key_revoked");
  expect([...byLabel(await metrics(), "keyward_thread_restarts_total", "thread")]).toEqual([
    ["writer", 0],
    ["check", 1],
  ]);
  const checks = byLabel(await metrics(), "keyward_checks_total", "reason");
  expect([checks.get("allowed"), checks.get("key_revoked")]).toEqual([2, 1]);
});

test("threads that replace others obey what was reloaded before, and what is reloaded while they are dead", async () => {
  const { check, writer, program, settings, authz, adminSocket } = await programForThisTest();
  const client = checkClientForThisTest(authz);
  const lifeOf = async () => {
    const { key } = await adminCall<{ key: { expiresAt?: string } }>(adminSocket, "KeyService/CreateKey", {
      name: "k",
    });
    return key.expiresAt !== undefined;
  };
  const open: Settings = {
    ...settings,
    policy: { routes: [], defaultAccess: "public", scopes: undefined },
    keyLifetime: { defaultMs: 60_000, maxMs: undefined },
  };
  expect([(await client.check()).reason, await lifeOf()]).toEqual(["no_credential", false]);
  await program.reload(open);
  await Promise.all([check.terminate(), writer.terminate()]);
  const again = program.reload({ ...open, policy: { ...open.policy, defaultAccess: "deny" } });
  await again;
  await until("the new thread answers", async () => (await client.check()).reason === "route_denied");
  await until("the new writer answers", lifeOf);
});

test("a change that is made while a check thread is dead is obeyed by the one that replaces it", async () => {
  const { check, said, authz, adminSocket } = await programForThisTest();
  const { id, secret } = await createKey(adminSocket);
  expect((await checkClientForThisTest(authz).present(secret)).reason).toBe("allowed");
  await check.terminate();
  expect((await adminCall(adminSocket, "KeyService/RevokeKey", { key: id })).enforced).toBe(true);
  await until("it is replaced", () => said("a new check 0 thread has taken over") === 1);
  const client = checkClientForThisTest(authz);
  await until("the store is open again", async () => (await client.health()) === "SERVING");
  expect((await client.present(secret)).reason).toBe("key_revoked");
});

test("a check thread that replaces another goes on with what that one has counted of a rate limit", async () => {
  const { check, said, authz, adminSocket } = await programForThisTest();
  const { secret } = await createKey(adminSocket, { rateLimit: { requests: 3, window: "2678400s" } });
  const before = checkClientForThisTest(authz);
  expect([await before.present(secret), await before.present(secret)]).toMatchObject(
    Array(2).fill({ reason: "allowed" }),
  );
  await check.terminate();
  await until("it is replaced", () => said("a new check 0 thread has taken over") === 1);
  const after = checkClientForThisTest(authz);
  await until("the store is open again", async () => (await after.health()) === "SERVING");
  expect((await after.present(secret)).reason).toBe("allowed");
  expect((await after.present(secret)).reason).toBe("rate_limited");
});

test("each death in a row is given a longer pause", async () => {
  const { lines, said } = await programForThisTest();
  for (let death = 1; death <= 3; death++) {
    await workers.at(-1)?.terminate();
    await until("it is replaced", () => said("a new check 0 thread has taken over") === death);
  }
  expect(lines.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([
    "the check 0 thread died; a new one starts in 100 ms",
    "the check 0 thread died; a new one starts in 200 ms",
    "the check 0 thread died; a new one starts in 400 ms",
  ]);
});

test("a writer that dies is replaced at the same addresses, and checks go on meanwhile", async () => {
  const { writer, said, authz, admin, adminSocket, metrics } = await programForThisTest();
  const { id, secret } = await createKey(adminSocket);
  const client = checkClientForThisTest(authz);
  await writer.terminate();
  expect((await client.present(secret)).reason).toBe("allowed");
  await until("it is replaced", () => said("a new writer thread has taken over") === 1);
  expect((await adminCall(adminSocket, "KeyService/RevokeKey", { key: id })).enforced).toBe(true);
  expect((await client.present(secret)).reason).toBe("key_revoked");
  expect(await checkClientForThisTest(admin).health()).toBe("SERVING");
  expect(byLabel(await metrics(), "keyward_thread_restarts_total", "thread").get("writer")).toBe(1);
});

const usesOf = async (adminSocket: string, id: string) => {
  const { key } = await adminCall<{ key: { useCount?: string } }>(adminSocket, "KeyService/GetKey", { key: id });
  return Number(key.useCount ?? 0);
};

test("a writer that dies loses nothing of how keys are used, and counts nothing twice", async () => {
  const { writer, said, authz, adminSocket, database } = await programForThisTest();
  const { id, secret } = await createKey(adminSocket);
  const client = checkClientForThisTest(authz);
  const holder = new Database(database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  for (let uses = 0; uses < 10; uses++) await client.present(secret);
  await until(
    "the writer has them and cannot write them down",
    () =>
      said("how keys are used cannot be written down; it is kept and tried again: store: busy: database is locked") ===
      1,
  );
  for (let uses = 0; uses < 5; uses++) await client.present(secret);
  await writer.terminate();
  await until("it is replaced", () => said("a new writer thread has taken over") === 1);
  expect(await usesOf(adminSocket, id)).toBe(0);
  holder.exec("ROLLBACK");
  await until("all uses are written down", async () => (await usesOf(adminSocket, id)) >= 15);
  expect(await usesOf(adminSocket, id)).toBe(15);
});

test("a check thread that dies loses of how keys are used at most what it had not handed over", async () => {
  const { check, said, authz, adminSocket, database } = await programForThisTest();
  const { id, secret } = await createKey(adminSocket);
  const holder = new Database(database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  const before = checkClientForThisTest(authz);
  // One alone: it is handed over whole.
  await before.present(secret);
  await until(
    "the writer has them and cannot write them down",
    () =>
      said("how keys are used cannot be written down; it is kept and tried again: store: busy: database is locked") ===
      1,
  );
  await check.terminate();
  holder.exec("ROLLBACK");
  await until("it is replaced", () => said("a new check 0 thread has taken over") === 1);
  const after = checkClientForThisTest(authz);
  await until("the store is open again", async () => (await after.health()) === "SERVING");
  for (let uses = 0; uses < 5; uses++) await after.present(secret);
  await until("what is left is written down", async () => (await usesOf(adminSocket, id)) >= 6);
  expect(await usesOf(adminSocket, id)).toBe(6);
});
