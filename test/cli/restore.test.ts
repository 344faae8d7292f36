import { existsSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verifiedTrail } from "../faults/support/whole-store.ts";
import { tamper } from "../store/support/trail.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";

const reasonsOf = ({ authz }: Keyward, secrets: readonly string[]) => {
  const client = checkClientForThisTest(authz);
  return Promise.all(secrets.map(async (secret) => (await client.present(secret)).reason));
};

/** A Keyward of which a backup was made, in a folder that stays. */
async function backedUp(prepare: (keyward: Keyward) => Promise<void> = async () => {}) {
  const folder = folderForThisTest();
  const keyward = await keywardForThisTest({ folder, env: SIGNING_ENV });
  await prepare(keyward);
  const file = join(folder, "copy.db");
  expect((await keyward.cli("backup", file)).code).toBe(0);
  const restore = async (...args: string[]) => {
    await keyward.stop();
    const result = await keyward.cli("restore", file, "-o", "json", ...args);
    return { ...result, told: result.code === 0 ? JSON.parse(result.stdout) : undefined };
  };
  return { folder, file, keyward, restore, again: () => keywardForThisTest({ folder, env: SIGNING_ENV }) };
}

describe("keyward restore", () => {
  test("brings back what the backup says, and keeps closed what was closed since", async () => {
    const made: Record<string, { id: string; secret: string }> = {};
    const { keyward, restore, again } = await backedUp(async ({ adminSocket }) => {
      for (const name of ["kept", "revoked", "disabled", "rotated", "shortened", "purged", "owned", "both"]) {
        made[name] = await createKey(adminSocket, name === "owned" ? { owner: "user/a" } : {});
      }
      await adminCall(adminSocket, "OwnerService/CreateOwner", { owner: "user/a" });
      await adminCall(adminSocket, "KeyService/RevokeKey", { key: made.both?.id });
    });
    const call = (method: string, body: object) => adminCall(keyward.adminSocket, method, body);
    const idOf = (name: string) => made[name]?.id;
    await call("KeyService/RevokeKey", { key: idOf("revoked"), reason: "leaked" });
    await call("KeyService/DisableKey", { key: idOf("disabled") });
    await call("KeyService/RotateKey", { key: idOf("rotated"), grace: "3600s" });
    await keyward.cli("keys", "update", idOf("shortened") ?? "", "--expires-in", "1h");
    await keyward.cli("owners", "disable", "user/a");
    tamper(keyward.database, `DELETE FROM keys WHERE id = '${idOf("purged")}'`);
    const late = await createKey(keyward.adminSocket);

    const { code, told, stderr } = await restore();
    expect([code, stderr]).toEqual([0, ""]);
    expect(told).toMatchObject({
      keys: 8,
      compared: true,
      kept_revoked: [idOf("revoked"), idOf("purged")].toSorted(),
      kept_disabled: [idOf("disabled")],
      kept_ends: [idOf("rotated"), idOf("shortened")].toSorted(),
      kept_disabled_owners: ["user/a"],
      lost_keys: 2,
      open_again: [],
    });
    expect(existsSync(told.replaced)).toBe(true);
    expect((statSync(told.database).mode & 0o777).toString(8)).toBe("600");

    expect(verifiedTrail(told.database)).toEqual({ broken: undefined, last: expect.any(String) });
    const restored = await again();
    const secrets = ["kept", "revoked", "disabled", "rotated", "shortened", "purged", "owned", "both"];
    expect(await reasonsOf(restored, [...secrets.map((name) => made[name]?.secret ?? ""), late.secret])).toEqual([
      "allowed",
      "key_revoked",
      "key_disabled",
      "allowed",
      "allowed",
      "key_revoked",
      "owner_disabled",
      "key_revoked",
      "unknown_key",
    ]);
    const { key } = await adminCall<{ key: object }>(restored.adminSocket, "KeyService/GetKey", {
      key: idOf("revoked"),
    });
    expect(key).toMatchObject({ revokeReason: "leaked" });
    const states = await Promise.all(
      ["rotated", "shortened"].map(async (name) => {
        const answer = await adminCall(restored.adminSocket, "KeyService/GetKey", { key: idOf(name) });
        return [answer.key.state, "expiresAt" in answer.key || "graceEndsAt" in answer.key];
      }),
    );
    expect(states).toEqual([
      ["KEY_STATE_ROTATED", true],
      ["KEY_STATE_ACTIVE", true],
    ]);
  });

  test("keeps admin keys revoked, and a signing key that was withdrawn away", async () => {
    const kids = async (keyward: Keyward) => {
      const { keys } = (await (await fetch(`http://${keyward.admin}/.well-known/jwks.json`)).json()) as {
        keys: { kid: string }[];
      };
      return keys.map(({ kid }) => kid);
    };
    let adminId = "";
    const { keyward, restore, again } = await backedUp(async (served) => {
      await served.cli("admin-keys", "create", "--name", "x", "-q");
      adminId = JSON.parse((await served.cli("admin-keys", "list", "-o", "json")).stdout).keys[0].id;
      await createKey(served.adminSocket, { format: "KEY_FORMAT_JWT" });
    });
    const before = await kids(keyward);
    await keyward.cli("admin-keys", "revoke", adminId);
    await keyward.cli("signing-keys", "rotate", "--withdraw-earlier");
    const after = await kids(keyward);
    expect([before.length, after.length, before.some((kid) => after.includes(kid))]).toEqual([1, 1, false]);

    const { told } = await restore();
    expect(told.kept_revoked_admin_keys).toEqual([adminId]);
    const restored = await again();
    expect(await kids(restored)).toEqual(after);
    const { stdout } = await restored.cli("admin-keys", "list", "-o", "json");
    expect(JSON.parse(stdout).keys).toMatchObject([{ id: adminId, revokedBy: "local" }]);
  });

  test.each<[string, readonly string[]]>([
    ["all of it", []],
    ["checks alone", ["--mode", "authz"]],
  ])("refuses a database of which a Keyward serves %s, also with --force, and changes nothing", async (_, flags) => {
    const { folder, file, keyward } = await backedUp();
    await keyward.stop();
    const serving = await keywardForThisTest({ folder, flags });
    const before = readdirSync(folder).toSorted();
    for (const force of [[], ["--force"]]) {
      const { code, stderr } = await serving.cli("restore", file, ...force);
      expect(code).toBe(1);
      expect(stderr).toMatch(/: a program has it open; stop every Keyward that serves it first( \(.*\))?\n$/);
    }
    expect(readdirSync(folder).toSorted()).toEqual(before);
  });

  test("puts a backup in the place of a damaged database only with --force, and says what that means", async () => {
    let secret = "";
    const { keyward, restore, again } = await backedUp(async ({ adminSocket }) => {
      ({ secret } = await createKey(adminSocket));
    });
    const { key } = await adminCall(keyward.adminSocket, "KeyService/GetKey", { key: secret });
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: key.id });
    await keyward.stop();
    damage(keyward.database);
    const refused = await restore();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "it cannot be read, so that keys which were revoked since the backup cannot be kept revoked",
    );
    const { code, told, stderr } = await restore("--force");
    expect([code, told.compared]).toEqual([0, false]);
    expect(stderr).toBe("Nothing was compared: keys that were revoked after the backup was made open again.\n");
    expect(await reasonsOf(await again(), [secret])).toEqual(["allowed"]);
  });
});

/** Overwrites the middle of a file, and its head. */
function damage(path: string): void {
  truncateSync(path, 4096 * 3);
  truncateSync(path, 4096 * 20);
}
