import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";
import { openMany } from "./support/attacker.ts";

test("where the system gives no more files, who is connected is served, and others are once there are some", async () => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(secret)).reason).toBe("allowed");
  execFileSync("prlimit", [`--pid=${keyward.pid}`, "--nofile=120:120"]);

  const flood = await openMany(keyward.authz, 400);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect((await client.present(`${secret}0`)).reason).toBe("malformed_credential");
  for (const socket of flood) socket.destroy();
  await until("a new client is served", async () => {
    return (await checkClientForThisTest(keyward.authz).present(secret)).reason === "allowed";
  });
  expect(keyward.log()).not.toContain("died");
});
