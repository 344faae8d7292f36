import { expect, test } from "vitest";
import { damageLog } from "../faults/support/damaged-log.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

const staleSeconds = async ({ ops }: Keyward) =>
  readMetrics(await (await fetch(`http://${ops}/metrics`)).text()).get('keyward_store_stale_seconds{thread="0"}') ?? 0;

const readiness = async ({ ops }: Keyward) => (await fetch(`http://${ops}/readyz`)).text();

/** Checks alone, of a database that another process changes, with a key that it knows and one that it does not. */
async function checksWithKeys(config: string) {
  const folder = folderForThisTest();
  const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
  const [known, unread] = [await createKey(admin.adminSocket), await createKey(admin.adminSocket)];
  const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"], config });
  const client = checkClientForThisTest(checks.authz);
  expect((await client.present(known.secret)).reason).toBe("allowed");
  return { admin, checks, client, known, unread };
}

/** Makes what has just been changed unreadable to a process that has not seen it yet; returns how to mend that. */
async function damageWhatIsNew(admin: Keyward, checks: Keyward): Promise<() => void> {
  process.kill(checks.pid, "SIGSTOP");
  try {
    await createKey(admin.adminSocket);
    return damageLog(checks.database);
  } finally {
    process.kill(checks.pid, "SIGCONT");
  }
}

test("a key that is known opens while the store cannot be followed, and all that can be asked tells of it", async () => {
  const { admin, checks, client, known, unread } = await checksWithKeys("stale: { serve_for: 1h, then: deny }\n");
  expect([await staleSeconds(checks), await readiness(checks)]).toEqual([0, "ready\n"]);
  expect((await client.present(known.secret)).metadata).not.toHaveProperty("stale");

  const mend = await damageWhatIsNew(admin, checks);
  await until("it is noticed", async () => (await staleSeconds(checks)) > 0);
  const verdict = await client.present(known.secret);
  expect([verdict.code, verdict.reason, verdict.metadata.stale]).toEqual([
    0,
    "allowed",
    expect.stringMatching(/^\d+s$/),
  ]);
  expect((await client.present(unread.secret)).reason).toBe("store_unavailable");
  expect(await client.health()).toBe("SERVING");
  expect(await readiness(checks)).toMatch(/^ready\ncheck thread 0 answers from what it knew \d+ s ago\n$/);
  await logged(checks, "the key store is not ready: store: corrupt: database disk image is malformed");

  mend();
  await until("it is up to date again", async () => (await staleSeconds(checks)) === 0);
  const after = await client.present(unread.secret);
  expect([after.reason, "stale" in after.metadata]).toEqual(["allowed", false]);
  await logged(checks, "the key store answers again");
  await adminCall(admin.adminSocket, "KeyService/RevokeKey", { key: known.id });
  await until("changes are obeyed", async () => (await client.present(known.secret)).reason === "key_revoked");
});

test("past serve_for every key is denied, and a route may say another time", async () => {
  const config = `
stale: { serve_for: 500ms }
routes:
  - { path: /strict, access: authenticated, stale: { serve_for: 0s } }
  - { path: /lax, access: authenticated, stale: { serve_for: 1h, then: deny } }
  - { path: /usual, access: authenticated }
`;
  const { admin, checks, client, known } = await checksWithKeys(config.replace("/usual", "/**"));
  const reasons = () =>
    Promise.all(
      ["/strict", "/usual", "/lax"].map(async (path) => (await client.present(known.secret, { path })).reason),
    );
  expect(await reasons()).toEqual(["allowed", "allowed", "allowed"]);

  const mend = await damageWhatIsNew(admin, checks);
  await until("the strict route denies", async () => (await reasons())[0] === "store_unavailable");
  await until("the usual one denies", async () => (await reasons())[1] === "store_unavailable");
  expect(await reasons()).toEqual(["store_unavailable", "store_unavailable", "allowed"]);
  const { status, metadata } = await client.present(known.secret, { path: "/usual" });
  expect([status, metadata.stale]).toEqual([503, expect.stringMatching(/^\d+s$/)]);
  await until("health says so", async () => (await client.health()) === "NOT_SERVING");
  expect(await readiness(checks)).toBe("not ready\ncheck thread 0 does not answer from the store\n");

  mend();
  await until("health is back", async () => (await client.health()) === "SERVING");
  expect(await reasons()).toEqual(["allowed", "allowed", "allowed"]);
});
