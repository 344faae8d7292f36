import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADMIN_PREFIX, DEFAULT_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { runCli } from "../support/cli.ts";
import { folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";

const ANY_PORT = ["authz", "forward-auth", "admin", "ops"].flatMap((name) => [`--listen-${name}`, "127.0.0.1:0"]);

const newKey = (prefix = ADMIN_PREFIX) =>
  writeSecret(prefix, crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));

/** What becomes of a call over the network with an admin key. */
async function callWith(adminKey: string, { admin, folder: cwd }: Keyward): Promise<string> {
  const env = { KEYWARD_ADMIN_KEY: adminKey };
  const { stderr } = await runCli(["keys", "list", "-q", "--admin-url", `http://${admin}`], { cwd, env });
  return stderr === "" ? "accepted" : stderr;
}

async function adminKeysOf(keyward: Keyward): Promise<{ id: string; name: string; createdBy: string }[]> {
  const { stdout } = await keyward.cli("admin-keys", "list", "-o", "json");
  return JSON.parse(stdout).keys ?? [];
}

describe("--write-admin-key", () => {
  test("writes a key that may do all to a new file of its user alone, and to no log", async () => {
    const keyward = await keywardForThisTest({ flags: ["--write-admin-key", "admin.key"] });
    const file = join(keyward.folder, "admin.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(/^kwadm_[0-9A-Za-z]{49}\n$/);
    expect(await callWith(text.trim(), keyward)).toBe("accepted");
    expect(await adminKeysOf(keyward)).toMatchObject([
      {
        name: "first admin key",
        createdBy: "configuration",
        scopes: ["keys:read", "keys:write", "owners:write", "audit:read", "admins:write", "system:write"],
      },
    ]);
    await logged(keyward, "a first admin key was written to");
    expect(keyward.log()).not.toContain(text.slice(0, 16));
  });

  test("writes it once: a database that has been used gets no further one", async () => {
    const folder = folderForThisTest();
    const flags = ["--write-admin-key", "admin.key"];
    const first = await keywardForThisTest({ folder, flags });
    const text = readFileSync(join(folder, "admin.key"), "utf8");
    await first.stop();
    const second = await keywardForThisTest({ folder, flags });
    expect(readFileSync(join(folder, "admin.key"), "utf8")).toBe(text);
    expect(await callWith(text.trim(), second)).toBe("accepted");
    await second.stop();
    rmSync(join(folder, "admin.key"));
    const third = await keywardForThisTest({ folder, flags });
    expect(existsSync(join(folder, "admin.key"))).toBe(false);
    expect(await adminKeysOf(third)).toHaveLength(1);
  });

  test("keeps out of a file that is there already, and makes the key once it has been moved away", async () => {
    const folder = folderForThisTest();
    const flags = ["--write-admin-key", "admin.key"];
    writeFileSync(join(folder, "admin.key"), "precious\n");
    const refused = await runCli(["serve", "--database", "keyward.db", ...ANY_PORT, ...flags], { cwd: folder });
    expect(refused).toEqual({
      code: 1,
      stdout: "",
      stderr: "keyward: write_admin_key admin.key cannot be written: it is there already; move it away\n",
    });
    expect(readFileSync(join(folder, "admin.key"), "utf8")).toBe("precious\n");
    rmSync(join(folder, "admin.key"));
    const keyward = await keywardForThisTest({ folder, flags });
    expect(await callWith(readFileSync(join(folder, "admin.key"), "utf8").trim(), keyward)).toBe("accepted");
  });

  test("to a folder that is not there is a failure that names the file", async () => {
    const cwd = folderForThisTest();
    const flags = ["--database", "keyward.db", "--write-admin-key", "none/admin.key"];
    const { code, stderr } = await runCli(["serve", ...ANY_PORT, ...flags], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^keyward: write_admin_key none\/admin\.key cannot be written: ENOENT/);
  });
});

describe("an admin key of the configuration", () => {
  test.each([
    ["KEYWARD_ADMIN_KEY", (key: string) => ({ KEYWARD_ADMIN_KEY: key })],
    ["KEYWARD_ADMIN_KEY_FILE", () => ({ KEYWARD_ADMIN_KEY_FILE: "key" })],
  ])("from %s is accepted, and its neighbour is not", async (_, envOf) => {
    const folder = folderForThisTest();
    const key = newKey();
    writeFileSync(join(folder, "key"), `${key}\n`);
    const keyward = await keywardForThisTest({ folder, env: envOf(key) });
    expect(await callWith(key, keyward)).toBe("accepted");
    expect(await callWith(newKey(), keyward)).toBe("keyward: the admin key is not valid\n");
    expect(await adminKeysOf(keyward)).toMatchObject([{ name: "from the configuration", createdBy: "configuration" }]);
    expect(keyward.log()).not.toContain(key.slice(0, 16));
  });

  test("is added once, beside others, and stays revoked once it is", async () => {
    const folder = folderForThisTest();
    const [one, two] = [newKey(), newKey()];
    const first = await keywardForThisTest({ folder, env: { KEYWARD_ADMIN_KEY: one } });
    await first.stop();
    const again = await keywardForThisTest({ folder, env: { KEYWARD_ADMIN_KEY: one } });
    const [added, ...others] = await adminKeysOf(again);
    expect(others).toEqual([]);
    await again.cli("admin-keys", "revoke", added?.id ?? "");
    expect(await callWith(one, again)).toBe("keyward: the admin key is not valid\n");
    await again.stop();

    const revoked = await keywardForThisTest({ folder, env: { KEYWARD_ADMIN_KEY: one } });
    expect(await callWith(one, revoked)).toBe("keyward: the admin key is not valid\n");
    await logged(revoked, "the admin key of the configuration has been revoked and opens nothing");
    await revoked.stop();
    const other = await keywardForThisTest({ folder, env: { KEYWARD_ADMIN_KEY: two } });
    expect(await callWith(two, other)).toBe("accepted");
    expect(await adminKeysOf(other)).toHaveLength(2);
  });

  test.each<[title: string, env: (key: string) => Record<string, string>, message: RegExp]>([
    ["that is cut", (key) => ({ KEYWARD_ADMIN_KEY: key.slice(0, -1) }), /^keyward: KEYWARD_ADMIN_KEY does not hold/],
    ["of the data plane", () => ({ KEYWARD_ADMIN_KEY: newKey(DEFAULT_PREFIX) }), /KEYWARD_ADMIN_KEY does not hold/],
    ["in a file that is not there", () => ({ KEYWARD_ADMIN_KEY_FILE: "none" }), /KEYWARD_ADMIN_KEY_FILE "none" cannot/],
    [
      "in a file that holds more",
      () => ({ KEYWARD_ADMIN_KEY_FILE: "two-lines" }),
      /KEYWARD_ADMIN_KEY_FILE "two-lines" does not hold/,
    ],
    [
      "that is given twice",
      (key) => ({ KEYWARD_ADMIN_KEY: key, KEYWARD_ADMIN_KEY_FILE: "key" }),
      /KEYWARD_ADMIN_KEY and KEYWARD_ADMIN_KEY_FILE must not both be set/,
    ],
  ])("%s is refused with exit code 2, and not repeated", async (_, envOf, message) => {
    const cwd = folderForThisTest();
    const key = newKey();
    writeFileSync(join(cwd, "key"), key);
    writeFileSync(join(cwd, "two-lines"), `${key}\n${key}\n`);
    const env = envOf(key);
    const { code, stdout, stderr } = await runCli(["serve", "--database", "k.db", ...ANY_PORT], { cwd, env });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain((env.KEYWARD_ADMIN_KEY ?? key).slice(0, 14));
    expect(existsSync(join(cwd, "k.db"))).toBe(false);
  });
});
