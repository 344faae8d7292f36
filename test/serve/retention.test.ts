import { setImmediate as turn } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createRetention } from "../../src/serve/retention.ts";
import type { Store } from "../../src/store/store.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";
import { HOUR_MS, tamper, verified, writeEvents } from "../store/support/trail.ts";
import { createKey } from "../support/admin-call.ts";
import { runCli } from "../support/cli.ts";
import { withStore } from "../support/direct-store.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

const DAY_MS = 24 * HOUR_MS;
const NOW_MS = 100 * DAY_MS;

/** A retention of a new store, and what it tells. */
function keeping(endedKeysMs: number | undefined, auditMs: number | undefined) {
  const { store, path } = newStore();
  const lines: string[] = [];
  let announced = 0;
  const retention = createRetention(
    store,
    { endedKeysMs, auditMs },
    () => announced++,
    (_, message) => void lines.push(message),
  );
  return { store, path, lines, retention, announced: () => announced };
}

/** Keys that were revoked an hour after each other, from hour 0 on. */
function revokedKeys(store: Store, count: number): void {
  for (let index = 0; index < count; index++) {
    store.createKey(sampleKey(`k${index}`), local, 0);
    store.revokeKey(`key_k${index}`, "", local, index * HOUR_MS);
  }
}

const keysIn = (store: Store) => store.listKeys({ nowMs: 0, limit: 10_000 }).length;
const eventsIn = (store: Store, action?: string) =>
  store.listEvents({ action, order: "oldest first", limit: 10_000 }).events.length;

describe("retention", () => {
  test("keeps everything where nothing is said", async () => {
    const { store, retention } = keeping(undefined, undefined);
    revokedKeys(store, 3);
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 0 });
    expect([keysIn(store), eventsIn(store)]).toEqual([3, 6]);
  });

  test("forgets ended keys that are older than it says, to the hour", async () => {
    const { store, retention, announced } = keeping(NOW_MS - 3 * HOUR_MS, undefined);
    revokedKeys(store, 10);
    expect(await retention.run(NOW_MS)).toEqual({ keys: 3, events: 0 });
    expect([keysIn(store), eventsIn(store, "keys.purge"), announced()]).toEqual([7, 3, 1]);
    expect(await retention.run(NOW_MS + 1)).toEqual({ keys: 1, events: 0 });
  });

  test("removes events that are older than it says, and leaves a trail that is whole", async () => {
    const { store, retention, announced } = keeping(undefined, NOW_MS - 4 * HOUR_MS);
    writeEvents(store, 10);
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 3 });
    expect([eventsIn(store), announced(), verified(store)]).toEqual([8, 0, undefined]);
  });

  test("does both, and lets other work run between its steps", async () => {
    const { store, retention, announced } = keeping(DAY_MS, DAY_MS);
    revokedKeys(store, 250);
    const left: number[] = [];
    const run = retention.run(NOW_MS);
    let over = false;
    void run.then(() => {
      over = true;
    });
    while (!over) {
      left.push(keysIn(store));
      await turn();
    }
    expect(await run).toEqual({ keys: 250, events: 500 });
    expect([...new Set(left)]).toEqual([150, 50, 0]);
    expect([announced(), verified(store)]).toEqual([3, undefined]);
  });

  test("goes no further once it is stopped", async () => {
    const { store, retention } = keeping(DAY_MS, DAY_MS);
    revokedKeys(store, 250);
    const run = retention.run(NOW_MS);
    retention.stop();
    expect(await run).toEqual({ keys: 100, events: 0 });
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 0 });
  });

  test("runs once at a time", async () => {
    const { store, retention } = keeping(DAY_MS, undefined);
    revokedKeys(store, 150);
    const [one, other] = await Promise.all([retention.run(NOW_MS), retention.run(NOW_MS)]);
    expect([one, other]).toEqual([
      { keys: 150, events: 0 },
      { keys: 0, events: 0 },
    ]);
  });

  test("leaves a broken trail alone, and says where it is broken", async () => {
    const { store, path, lines, retention } = keeping(undefined, DAY_MS);
    writeEvents(store, 3);
    tamper(path, "UPDATE audit SET actor = 'nobody' WHERE seq = 2");
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 0 });
    expect(lines).toEqual(["the audit trail is broken, and nothing of it is purged: keyward audit verify"]);
    expect(eventsIn(store)).toBe(3);
  });

  test("does not wait for another program that holds the lock, and goes on with the next run", async () => {
    const { store, path, retention, lines } = keeping(DAY_MS, DAY_MS);
    revokedKeys(store, 3);
    const other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 0 });
    other.close();
    expect(lines).toEqual(["what is too old could not be purged; it is tried again"]);
    expect(await retention.run(NOW_MS)).toEqual({ keys: 3, events: 6 });
  });

  test("is not ended by a store that fails", async () => {
    const { store, retention, lines } = keeping(DAY_MS, undefined);
    store.close();
    expect(await retention.run(NOW_MS)).toEqual({ keys: 0, events: 0 });
    expect(lines).toEqual(["what is too old could not be purged; it is tried again"]);
  });
});

describe("keyward serve", () => {
  const purging = ["--retention-ended-keys", "30d", "--retention-audit", "90d"];

  test("purges what is too old when it starts, and a check forgets a purged key", async () => {
    const folder = folderForThisTest();
    const first = await keywardForThisTest({ folder });
    const old = await createKey(first.adminSocket);
    const active = await createKey(first.adminSocket);
    const young = await createKey(first.adminSocket);
    await first.stop();
    const nowMs = Date.now();
    withStore(first, (store) => {
      store.revokeKey(old.id, "", local, nowMs - 31 * DAY_MS);
      store.revokeKey(young.id, "", local, nowMs - 29 * DAY_MS);
    });
    const keyward = await keywardForThisTest({ folder, flags: purging });
    const client = checkClientForThisTest(keyward.authz);
    const reasonOf = async (secret: string) => (await client.present(secret)).reason;
    await until("the old key is forgotten", async () => (await reasonOf(old.secret)) === "unknown_key");
    expect([await reasonOf(young.secret), await reasonOf(active.secret)]).toEqual(["key_revoked", "allowed"]);
    const { stdout } = await keyward.cli("audit", "list", "--action", "keys.purge", "-o", "json");
    expect(JSON.parse(stdout).events).toMatchObject([{ target: old.id, actor: "retention", source: "local" }]);
    expect((await keyward.cli("audit", "verify")).code).toBe(0);
  });

  test("notes denials of known keys down in the trail, one event a key and reason, when it ends", async () => {
    const folder = folderForThisTest();
    const first = await keywardForThisTest({ folder, flags: ["--check-threads", "2"] });
    const revoked = await createKey(first.adminSocket, { tenant: "acme" });
    const narrow = await createKey(first.adminSocket, { paths: ["/v1"] });
    await first.cli("keys", "revoke", revoked.id);
    for (let connection = 0; connection < 5; connection++) {
      const client = checkClientForThisTest(first.authz);
      for (let request = 0; request < 20; request++) await client.present(revoked.secret);
      await client.present(narrow.secret, { path: "/v2" });
      await client.present(narrow.secret, { path: "/v1" });
    }
    await first.stop();
    const keyward = await keywardForThisTest({ folder });
    const { stdout } = await keyward.cli("audit", "list", "--action", "keys.denied", "-o", "json");
    const events: { target: string; tenant?: string; detail: string }[] = JSON.parse(stdout).events;
    const told = events.map(({ target, tenant, detail }) => [target, tenant, JSON.parse(detail)]);
    expect(told).toHaveLength(2);
    expect(told).toContainEqual([revoked.id, "acme", expect.objectContaining({ reason: "key_revoked", count: 100 })]);
    expect(told).toContainEqual([
      narrow.id,
      undefined,
      expect.objectContaining({ reason: "path_not_allowed", count: 5 }),
    ]);
    expect((await keyward.cli("audit", "verify")).code).toBe(0);
  });

  test.each(["23h", "0", "-1d", "600"])("refuses a retention of %s", async (text) => {
    const args = ["config", "validate", `--retention-audit=${text}`];
    const { code, stderr } = await runCli(args, { cwd: folderForThisTest() });
    expect([code, stderr]).toEqual([2, expect.stringContaining(">= 1d and <= 36525d")]);
  });
});
