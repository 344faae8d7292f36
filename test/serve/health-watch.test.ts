import { describe, expect, test } from "vitest";
import { AUTHORIZATION } from "../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

const WITH_GRPC_JS = ["--transport", "grpc-js"];

const NAMES = ["", AUTHORIZATION];

test.each(NAMES)("the engine does not implement Watch of %j, and answers on the same connection", async (service) => {
  const keyward = await keywardForThisTest({ flags: ["--transport", "h2"] });
  const client = checkClientForThisTest(keyward.authz);
  const watch = client.watchHealth(service);
  expect(await watch.ended).toBe(12);
  expect(watch.seen).toEqual([]);
  expect(await client.health(service)).toBe("SERVING");
});

describe("with grpc-js", () => {
  test("who watches the health is told when it begins to be served", async () => {
    const folder = folderForThisTest();
    const checks = await keywardForThisTest({ folder, flags: [...WITH_GRPC_JS, "--mode", "authz"] });
    const watch = checkClientForThisTest(checks.authz).watchHealth(AUTHORIZATION);
    await until("the watch has begun", () => watch.seen.length > 0);
    expect(watch.seen).toEqual(["NOT_SERVING"]);
    await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    await until("the watch has seen it", () => watch.seen.length > 1);
    expect(watch.seen).toEqual(["NOT_SERVING", "SERVING"]);
  });

  test("who watches the health is told the end of it, and keeps nobody waiting", async () => {
    const keyward = await keywardForThisTest({ flags: WITH_GRPC_JS });
    const watch = checkClientForThisTest(keyward.authz).watchHealth();
    await until("it watches", () => watch.seen.length > 0);
    process.kill(keyward.pid, "SIGTERM");
    expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
    expect(watch.seen).toEqual(["SERVING", "NOT_SERVING"]);
    expect(await watch.ended).toBe(0);
  });
});

test("who watches the health on the admin listener is told the end of it, and keeps nobody waiting", async () => {
  const keyward = await keywardForThisTest();
  const watch = checkClientForThisTest(keyward.admin).watchHealth();
  await until("it watches", () => watch.seen.length > 0);
  process.kill(keyward.pid, "SIGTERM");
  expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
  expect(watch.seen).toEqual(["SERVING", "NOT_SERVING"]);
});
