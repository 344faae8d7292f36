import { hash } from "node:crypto";
import { request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeId } from "../../src/key/id.ts";
import { openStore } from "../../src/store/store.ts";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

const ADMIN_KEY = secretOf("the administrator's", "kwadm");

/** Posts JSON with the admin key, as curl would. */
async function post(keyward: Keyward, method: string, body: object): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const outgoing = request(`http://${keyward.admin}/keyward.admin.v1.${method}`, { method: "POST", headers });
  outgoing.on("response", (response) => {
    response.resume().on("end", () => resolve(response.statusCode ?? 0));
  });
  outgoing.on("error", reject).end(JSON.stringify(body));
  return promise;
}

/** Another program's writing handle on the same file. */
function otherProgram(database: string) {
  const store = openStore(database);
  onTestFinished(() => store.close());
  return store;
}

const actor = { name: "another program", source: "local" } as const;

describe("a revoked key is refused by the next check", () => {
  test.each<[string, (keyward: Keyward, id: string) => Promise<unknown>]>([
    ["the command line", (keyward, id) => keyward.cli("keys", "revoke", id, "--reason", "gone")],
    ["a JSON call with an admin key", (keyward, id) => post(keyward, "KeyService/RevokeKey", { key: id })],
  ])("after %s has returned", async (_, revoke) => {
    const keyward = await keywardForThisTest({ env: { KEYWARD_ADMIN_KEY: ADMIN_KEY } });
    const client = checkClientForThisTest(keyward.authz);
    const [revoked, other] = [await createKey(keyward.adminSocket), await createKey(keyward.adminSocket)];
    expect((await client.present(revoked.secret)).reason).toBe("allowed");
    await revoke(keyward, revoked.id);
    const verdict = await client.present(revoked.secret);
    expect(verdict).toMatchObject({ code: 16, status: 401, reason: "key_revoked" });
    expect(verdict.metadata.key_id).toBe(revoked.id);
    expect((await client.present(other.secret)).reason).toBe("allowed");
  });

  test("a hundred times in a row", async () => {
    const keyward = await keywardForThisTest({ env: { KEYWARD_ADMIN_KEY: ADMIN_KEY } });
    const client = checkClientForThisTest(keyward.authz);
    const seen: string[] = [];
    for (let round = 0; round < 100; round++) {
      const { id, secret } = await createKey(keyward.adminSocket);
      const before = await client.present(secret);
      expect(await post(keyward, "KeyService/RevokeKey", { key: id })).toBe(200);
      seen.push(`${before.reason} ${(await client.present(secret)).reason}`);
    }
    expect(new Set(seen)).toEqual(new Set(["allowed key_revoked"]));
  });
});

describe("a process that only serves checks follows another on the same file", () => {
  test("what `--mode admin` creates opens, and what it revokes is refused for good", async () => {
    const folder = folderForThisTest();
    const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
    const checks = await keywardForThisTest({ folder, flags: ["--mode", "authz"] });
    expect([admin.authz, checks.admin]).toEqual(["", ""]);
    const client = checkClientForThisTest(checks.authz);
    const { id, secret } = await createKey(admin.adminSocket);
    await until("the key opens", async () => (await client.present(secret)).reason === "allowed");

    const { stdout } = await admin.cli("keys", "revoke", id, "-o", "json");
    expect(JSON.parse(stdout).warning).toContain("no checks are served by this process");
    await until("the key is refused", async () => (await client.present(secret)).reason === "key_revoked");
    const later = await Promise.all(Array.from({ length: 20 }, () => client.present(secret)));
    expect(new Set(later.map(({ reason }) => reason))).toEqual(new Set(["key_revoked"]));
  });
});

describe("a program that writes to the file beside Keyward is followed", () => {
  test("a secret that was unknown opens once its key is there, and is refused once it is revoked", async () => {
    const keyward = await keywardForThisTest();
    const client = checkClientForThisTest(keyward.authz);
    const secret = secretOf("made elsewhere");
    const seen = [(await client.present(secret)).reason, (await client.present(secret)).reason];
    expect(seen).toEqual(["unknown_key", "unknown_key"]);

    const store = otherProgram(keyward.database);
    const id = writeId("key", Date.now(), new Uint8Array(8));
    const key = {
      id,
      digest: hash("sha256", secret, "hex"),
      start: secret.slice(0, 11),
      name: "x",
      note: "",
      metadata: {},
      scopes: [],
      inheritsScopes: false,
      methods: [],
      cidrs: [],
      paths: [],
    };
    store.createKey(key, actor, Date.now());
    await until("it opens", async () => (await client.present(secret)).reason === "allowed");
    store.revokeKey(id, "", actor, Date.now());
    await until("it is refused", async () => (await client.present(secret)).reason === "key_revoked");
    expect((await client.present(secretOf("never made"))).reason).toBe("unknown_key");
  });
});
