import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

test("once a newer program has taken the file over, this one neither answers from it nor writes to it", async () => {
  const keyward = await keywardForThisTest();
  const { id, secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(secret)).reason).toBe("allowed");

  const db = new Database(keyward.database);
  db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
  await until("the key is no longer answered for", async () => {
    return (await client.present(secret)).reason === "store_unavailable";
  });
  expect(await (await fetch(`http://${keyward.ops}/readyz`)).text()).toContain("does not answer from the store");
  const why = `it has ${SCHEMA_VERSION + 1}, at most ${SCHEMA_VERSION} is known`;
  await until("the log tells why", async () => keyward.log().includes(why));
  await expect(adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id })).rejects.toThrow(
    "answered with 503",
  );
  expect(db.prepare("SELECT count(*) FROM keys WHERE revoked_at_ms IS NOT NULL").pluck().get()).toBe(0);

  db.pragma(`user_version = ${SCHEMA_VERSION}`);
  db.close();
  await until("the key opens again", async () => (await client.present(secret)).reason === "allowed");
});
