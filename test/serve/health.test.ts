import { describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { AUTHORIZATION } from "../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

const NAMES = ["", AUTHORIZATION];

describe("health of the data plane", () => {
  test.each(NAMES)("%j is SERVING once Keyward says that it serves", async (service) => {
    const keyward = await keywardForThisTest();
    expect(await checkClientForThisTest(keyward.authz).health(service)).toBe("SERVING");
  });

  test("a name that is not ours is NOT_FOUND", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    await expect(client.health("envoy.service.auth.v2.Authorization")).rejects.toMatchObject({ code: 5 });
  });

  test("without a database nothing is served and every key is denied, until an admin process makes one", async () => {
    const folder = folderForThisTest();
    const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    const client = checkClientForThisTest(checks.authz);
    const readiness = async () => {
      const response = await fetch(`http://${checks.ops}/readyz`);
      return [response.status, await response.text()];
    };

    expect(await Promise.all(NAMES.map((name) => client.health(name)))).toEqual(["NOT_SERVING", "NOT_SERVING"]);
    expect(await readiness()).toEqual([503, "not ready\ncheck thread 0 does not answer from the store\n"]);
    expect((await fetch(`http://${checks.ops}/healthz`)).status).toBe(200);

    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    await until("checks are served", async () => (await client.health(AUTHORIZATION)) === "SERVING");
    expect(await client.health("")).toBe("SERVING");
    expect(await readiness()).toEqual([200, "ready\n"]);

    const { secret } = await createKey(admin.adminSocket);
    await until("the key opens", async () => (await client.present(secret)).reason === "allowed");
  });

  test.each([
    ["deny", "denied", 7],
    ["error", "error", 14],
  ] as const)("with on_store_error %s a check without a store is %s", async (setting, answer, code) => {
    const keyward = await keywardForThisTest({ flags: ["--mode", "authz", "--on-store-error", setting] });
    const client = checkClientForThisTest(keyward.authz);
    const verdict = await client.present(secretOf("nobody's"));
    expect(verdict).toMatchObject({ code, answer, status: 503, reason: "store_unavailable" });
    expect(JSON.parse(verdict.body)).toMatchObject({ error: "temporarily_unavailable" });
    expect((await client.present(`${secretOf("nobody's")}0`)).reason).toBe("malformed_credential");
    expect((await client.check()).reason).toBe("no_credential");
  });
});
