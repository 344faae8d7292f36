import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { AUTHORIZATION, describeRequest } from "../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { beginCheck } from "../support/half-check.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { until } from "../support/until.ts";

const ENDED_WELL = "Keyward ended (exit code 0)";
const ENDED_BADLY = "Keyward ended (exit code 1)";

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}

async function isRefused(address: string): Promise<boolean> {
  const socket = connect(portOf(address), "127.0.0.1");
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

/** A connection that has said so much and stays. */
async function holdOpen(address: string, bytes = ""): Promise<void> {
  const socket = connect(portOf(address), "127.0.0.1").on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  socket.write(bytes);
}

/** A connection that has had its answer and is kept alive. */
async function keepAlive(address: string, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const [response] = (await once(get(`http://${address}${path}`, { agent }), "response")) as [IncomingMessage];
  await text(response);
}

describe.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test("ends it with 0, though connections to every listener are open", async () => {
    const keyward = await keywardForThisTest();
    const checks = checkClientForThisTest(keyward.authz);
    await checks.check();
    for (const address of [keyward.authz, keyward.admin, keyward.ops]) await holdOpen(address);
    await holdOpen(keyward.ops, "GET /heal");
    await keepAlive(keyward.ops, "/healthz");
    await keepAlive(keyward.admin, "/nothing-here");
    const http2 = connectHttp2(`http://${keyward.admin}`);
    await once(http2, "remoteSettings");
    process.kill(keyward.pid, signal);
    expect(await keyward.ended).toBe(ENDED_WELL);
  });

  test("a second time ends it at once, with 1", async () => {
    const keyward = await keywardForThisTest({ flags: ["--shutdown-delay", "10m"] });
    process.kill(keyward.pid, signal);
    await logged(keyward, '"shutting down"');
    process.kill(keyward.pid, signal);
    expect(await keyward.ended).toBe(ENDED_BADLY);
    expect(keyward.log()).toContain(`"a second ${signal}: ending at once"`);
  });
});

test("during shutdown_delay health says no, and checks go on, on connections old and new", async () => {
  const keyward = await keywardForThisTest({ flags: ["--shutdown-delay", "10m"] });
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect(await client.health(AUTHORIZATION)).toBe("SERVING");

  process.kill(keyward.pid, "SIGTERM");
  await until("health says no", async () => (await client.health()) === "NOT_SERVING");
  expect(await client.health(AUTHORIZATION)).toBe("NOT_SERVING");
  const readiness = await fetch(`http://${keyward.ops}/readyz`);
  expect([readiness.status, await readiness.text()]).toEqual([503, "not ready\nthe program is shutting down\n"]);
  expect((await fetch(`http://${keyward.ops}/healthz`)).status).toBe(200);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect((await checkClientForThisTest(keyward.authz).present(secret)).reason).toBe("allowed");
  expect((await client.present(`${secret}0`)).reason).toBe("malformed_credential");

  const other = await createKey(keyward.adminSocket);
  expect((await client.present(other.secret)).reason).toBe("allowed");
  expect(await client.health()).toBe("NOT_SERVING");
  process.kill(keyward.pid, "SIGTERM");
  await keyward.ended;
});

test("a check of which half has arrived is answered before the program ends, with 0", async () => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const half = await beginCheck(keyward.authz, describeRequest({ headers: [["x-api-key", secret]] }));
  process.kill(keyward.pid, "SIGTERM");
  await until("nobody new is taken", () => isRefused(keyward.authz));
  const { status, answer } = await half.finish();
  expect({ status, allowed: answer.includes("allowed") }).toEqual({ status: "0", allowed: true });
  expect(await keyward.ended).toBe(ENDED_WELL);
});

test("a check that never arrives is given up after shutdown_timeout, and the exit code is 1", async () => {
  const keyward = await keywardForThisTest({ flags: ["--shutdown-timeout", "1s"] });
  await beginCheck(keyward.authz, describeRequest());
  process.kill(keyward.pid, "SIGTERM");
  expect(await keyward.ended).toBe(ENDED_BADLY);
  expect(keyward.log()).toContain('"stopped before everything had finished"');
});

test("calls that never end keep nobody from writing down how keys were used and what was denied", async () => {
  const folder = folderForThisTest();
  const keyward = await keywardForThisTest({ folder, flags: ["--shutdown-timeout", "4s"] });
  const { id, secret } = await createKey(keyward.adminSocket, { paths: ["/v1"] });
  await beginCheck(keyward.authz, describeRequest());
  await holdOpen(keyward.admin, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{");
  const client = checkClientForThisTest(keyward.authz);
  for (let use = 0; use < 20; use++) {
    expect((await client.present(secret, { path: "/v1" })).reason).toBe("allowed");
    expect((await client.present(secret, { path: "/v2" })).reason).toBe("path_not_allowed");
  }
  process.kill(keyward.pid, "SIGTERM");
  expect(await keyward.ended).toBe(ENDED_BADLY);
  expect(keyward.log()).not.toContain("could not be written down");
  expect(existsSync(`${keyward.database}-wal`)).toBe(false);
  const again = await keywardForThisTest({ folder });
  const { key } = await adminCall<{ key: { useCount: string } }>(again.adminSocket, "KeyService/GetKey", { key: id });
  expect(key.useCount).toBe("20");
  // Denials are summed up for ten minutes: they are in no event before the end.
  const { stdout } = await again.cli("audit", "list", "--action", "keys.denied", "-o", "json");
  expect(stdout).toContain(id);
});

test("the end brings the log of the database into its file, though another program has it open", async () => {
  const keyward = await keywardForThisTest();
  const other = new Database(keyward.database, { readonly: true });
  onTestFinished(() => {
    other.close();
  });
  const { id } = await createKey(keyward.adminSocket);
  expect(other.prepare("SELECT id FROM keys").pluck().all()).toEqual([id]);
  expect(readFileSync(keyward.database).includes(id)).toBe(false);
  process.kill(keyward.pid, "SIGTERM");
  expect(await keyward.ended).toBe(ENDED_WELL);
  expect(readFileSync(keyward.database).includes(id)).toBe(true);
});

test("a change that waits for the write lock is answered before the program ends, and is there after it", async () => {
  const keyward = await keywardForThisTest();
  const holder = new Database(keyward.database);
  onTestFinished(() => {
    holder.close();
  });
  holder.exec("BEGIN IMMEDIATE");
  const events: string[] = [];
  const change = createKey(keyward.adminSocket).then(({ id }) => {
    events.push("answered");
    return id;
  });
  const ended = keyward.ended.then((how) => events.push(how));
  await until("the call is on its way", () => hasCaller(keyward));
  process.kill(keyward.pid, "SIGTERM");
  await until("nobody new is taken", () => isRefused(keyward.authz));
  holder.exec("ROLLBACK");
  const id = await change;
  await ended;
  expect(events).toEqual(["answered", ENDED_WELL]);
  expect(holder.prepare("SELECT id FROM keys").pluck().all()).toEqual([id]);
});

/** Whether the writer stands still, which only a call in progress brings about. */
async function hasCaller(keyward: Keyward): Promise<boolean> {
  const agent = new Agent();
  const asked = get({ socketPath: keyward.adminSocket, path: "/nothing-here", agent, timeout: 250 });
  asked.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<boolean>();
  asked.on("timeout", () => resolve(true)).on("response", () => resolve(false));
  return promise.finally(() => asked.destroy());
}
