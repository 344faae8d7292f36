import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

interface Usage {
  lastUsedAt?: string;
  lastUsedIp?: string;
  useCount?: string;
}

async function usageOf({ adminSocket }: Pick<Keyward, "adminSocket">, id: string): Promise<Usage> {
  const { key } = await adminCall<{ key: Usage }>(adminSocket, "KeyService/GetKey", { key: id });
  return key;
}

const countOf = async (keyward: Keyward, id: string) => Number((await usageOf(keyward, id)).useCount ?? 0);

const metricsOf = async ({ ops }: Keyward) => readMetrics(await (await fetch(`http://${ops}/metrics`)).text());

/** Presents a secret so many times, a few at once, from one address. */
async function use(authz: string, secret: string, times: number, sourceAddress = "203.0.113.9"): Promise<void> {
  const client = checkClientForThisTest(authz);
  const bytes = describeRequest({ headers: [["authorization", `Bearer ${secret}`]], sourceAddress });
  let left = times;
  const caller = async () => {
    while (left-- > 0) expect((await client.checkBytes(bytes)).reason).toBe("allowed");
  };
  await Promise.all(Array.from({ length: 4 }, caller));
}

describe("how keys are used", () => {
  test("is counted to the last request, over three check threads and many connections", async () => {
    const keyward = await keywardForThisTest({ flags: ["--check-threads", "3"] });
    const keys = await Promise.all(Array.from({ length: 8 }, () => createKey(keyward.adminSocket)));
    const expected = keys.map((_, index) => 100 + index);
    // Three connections for each key, so that every thread sees some.
    await Promise.all(
      keys.flatMap(({ secret }, index) =>
        [60, 20, 20 + index].map((times, part) => use(keyward.authz, secret, times, `10.${part}.0.1`)),
      ),
    );
    const counts = () => Promise.all(keys.map(({ id }) => countOf(keyward, id)));
    await until("all uses are written down", async () => {
      const total = (await counts()).reduce((sum, count) => sum + count, 0);
      return total >= expected.reduce((sum, count) => sum + count, 0);
    });
    expect(await counts()).toEqual(expected);
    const { networks } = await adminCall<{ networks: { value: string }[] }>(keyward.adminSocket, "KeyService/GetKey", {
      key: keys[0]?.id,
    });
    expect(networks.map(({ value }) => value).sort()).toEqual(["10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"]);
  });

  test("is written down before the program ends in good order", async () => {
    const folder = folderForThisTest();
    const keyward = await keywardForThisTest({ folder, flags: ["--check-threads", "2"] });
    const { id, secret } = await createKey(keyward.adminSocket);
    await use(keyward.authz, secret, 25);
    await keyward.stop();
    expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
    const again = await keywardForThisTest({ folder });
    expect(await usageOf(again, id)).toMatchObject({ useCount: "25", lastUsedIp: "203.0.113.9" });
  });

  test("is lost by a kill for five seconds at the most, and never counted twice", async () => {
    const folder = folderForThisTest();
    const keyward = await keywardForThisTest({ folder });
    const { id, secret } = await createKey(keyward.adminSocket);
    let uses = 0;
    await until("some of it is written down while it goes on", async () => {
      await use(keyward.authz, secret, 5);
      uses += 5;
      return (await countOf(keyward, id)) > 0;
    });
    const known = await countOf(keyward, id);
    const lastUseMs = Date.now();
    await keyward.kill();
    const again = await keywardForThisTest({ folder });
    const { useCount, lastUsedAt } = await usageOf(again, id);
    expect(Number(useCount)).toBeGreaterThanOrEqual(known);
    expect(Number(useCount)).toBeLessThanOrEqual(uses);
    expect(lastUseMs - Date.parse(lastUsedAt ?? "")).toBeLessThan(5_000);
  });

  test("waits while the database is locked: checks and reads go on, and then all of it is there", async () => {
    const keyward = await keywardForThisTest();
    const keys = await Promise.all(Array.from({ length: 5 }, () => createKey(keyward.adminSocket)));
    const holder = new Database(keyward.database);
    onTestFinished(() => {
      holder.close();
    });
    holder.exec("BEGIN IMMEDIATE");
    const behind = async () =>
      byLabel(await metricsOf(keyward), "keyward_usage_behind_seconds", "thread").get("0") ?? 0;
    let rounds = 0;
    await until("usage is behind by more than two seconds", async () => {
      rounds++;
      for (const { secret } of keys) await use(keyward.authz, secret, 3);
      return (await behind()) > 2;
    });
    expect(await Promise.all(keys.map(({ id }) => countOf(keyward, id)))).toEqual([0, 0, 0, 0, 0]);
    await logged(keyward, "how keys are used cannot be written down; it is kept and tried again");
    holder.exec("ROLLBACK");
    await until("all uses are written down", async () => {
      return (await Promise.all(keys.map(({ id }) => countOf(keyward, id)))).every((count) => count === 3 * rounds);
    });
    await until("usage is up to date", async () => (await behind()) < 2);
    expect(await Promise.all(keys.map(({ id }) => countOf(keyward, id)))).toEqual(keys.map(() => 3 * rounds));
  });

  test("is told for keys that other filters leave, too", async () => {
    const keyward = await keywardForThisTest();
    const used = await createKey(keyward.adminSocket);
    const idle = await createKey(keyward.adminSocket);
    await use(keyward.authz, used.secret, 1);
    await until("the use is written down", async () => (await countOf(keyward, used.id)) === 1);
    const list = async (filter: string) => {
      const { keys = [] } = await adminCall<{ keys?: { id: string }[] }>(keyward.adminSocket, "KeyService/ListKeys", {
        filter,
      });
      return keys.map(({ id }) => id);
    };
    expect(await list("unused_for = 0s AND state = ACTIVE")).toEqual([used.id, idle.id]);
    expect(await list("unused_for = 1h")).toEqual([]);
  });

  test("is not recorded of checks that another process serves", async () => {
    const folder = folderForThisTest();
    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    const { id, secret } = await createKey(admin.adminSocket);
    const authz = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    await use(authz.authz, secret, 3);
    expect([...byLabel(await metricsOf(authz), "keyward_usage_behind_seconds", "thread")]).toEqual([]);
    await authz.stop();
    // Nothing was collected for which there would be no writer.
    expect(await authz.ended).toBe("Keyward ended (exit code 0)");
    expect(authz.log()).not.toContain("could not be written down");
    expect(await usageOf(admin, id)).not.toHaveProperty("useCount");
    await expect(
      adminCall(admin.adminSocket, "KeyService/RotateKey", { key: id, untilQuiet: "86400s" }),
    ).rejects.toThrow(/"this process serves no checks \(--mode admin\), so it does not know when a key was last used"/);
  });
});
