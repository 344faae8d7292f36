import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { AUTHORIZATION } from "../support/check-client.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

/** Whether the writer's thread answers a call that needs no lock, within a time in which it otherwise does. */
async function isWriterStuck(adminSocket: string): Promise<boolean> {
  const { promise: tooLong, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), 250);
  const answered = adminCall(adminSocket, "SystemService/GetStatus", {}).then(() => false);
  const stuck = await Promise.race([answered, tooLong]);
  clearTimeout(timer);
  return stuck;
}

test("while another program holds the write lock and the writer waits for it, all that only reads is answered", async () => {
  const keyward = await keywardForThisTest();
  const client = checkClientForThisTest(keyward.authz);
  const cached = await createKey(keyward.adminSocket);
  const uncached = await createKey(keyward.adminSocket);
  await client.present(cached.secret);

  const holder = new Database(keyward.database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  const events: string[] = [];
  const change = createKey(keyward.adminSocket).then(({ secret }) => {
    events.push("the change is answered");
    return secret;
  });
  await until("the writer stands still", () => isWriterStuck(keyward.adminSocket));

  const note = async (what: string, ask: () => Promise<unknown>) => events.push(`${what}: ${await ask()}`);
  await note("cached key", async () => (await client.present(cached.secret)).reason);
  await note("key read from the file", async () => (await client.present(uncached.secret)).reason);
  await note("no key", async () => (await client.check()).reason);
  await note("new connection", async () => (await checkClientForThisTest(keyward.authz).check()).reason);
  await note("/healthz", async () => (await fetch(`http://${keyward.ops}/healthz`)).status);
  await note("/readyz", async () => (await fetch(`http://${keyward.ops}/readyz`)).status);
  await note("/metrics", async () => (await fetch(`http://${keyward.ops}/metrics`)).status);
  await note("gRPC health", () => client.health(AUTHORIZATION));
  holder.exec("ROLLBACK");
  const secret = await change;

  expect(events).toEqual([
    "cached key: allowed",
    "key read from the file: allowed",
    "no key: no_credential",
    "new connection: no_credential",
    "/healthz: 200",
    "/readyz: 200",
    "/metrics: 200",
    "gRPC health: SERVING",
    "the change is answered",
  ]);
  expect((await client.present(secret)).reason).toBe("allowed");
});

test("a change that never gets the lock is refused as unavailable, and nothing of it is there", async () => {
  const keyward = await keywardForThisTest();
  const { id, secret } = await createKey(keyward.adminSocket);
  const holder = new Database(keyward.database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  await expect(adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id })).rejects.toThrow(
    /answered with 503: .*"the store cannot do this now \(busy\); nothing was changed"/,
  );
  holder.exec("ROLLBACK");
  expect((await checkClientForThisTest(keyward.authz).present(secret)).reason).toBe("allowed");
});
