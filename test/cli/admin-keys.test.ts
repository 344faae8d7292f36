import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
});
afterAll(() => keyward.stop());

test("before the first admin key there is none, and the list says so on stderr", async () => {
  const { code, stdout, stderr } = await keyward.cli("admin-keys", "list");
  expect([code, stdout, stderr]).toEqual([0, "ID  START  NAME  TENANT  STATE  SCOPES  CREATED\n", "no admin keys\n"]);
  expect(await keyward.cli("admin-keys", "list", "-q")).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("create prints the secret and the record, and that it is shown once", async () => {
  const { code, stdout, stderr } = await keyward.cli("admin-keys", "create", "--name", "Alice");
  expect([code, stderr]).toEqual([0, "The secret is shown this once; only its SHA-256 is stored.\n"]);
  expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["secret", expect.stringMatching(/^kwadm_[0-9A-Za-z]{49}$/)],
    ["id", expect.stringMatching(/^akey_[0-9A-Za-z]{20}$/)],
    ["start", expect.stringMatching(/^kwadm_[0-9A-Za-z]{8}$/)],
    ["name", "Alice"],
    ["scopes", "keys:read keys:write owners:write audit:read admins:write system:write"],
    ["created", expect.stringMatching(/Z by local$/)],
    [""],
  ]);
});

test.each([
  ["repeated", ["--scopes", "keys:read", "--scopes", "keys:write"]],
  ["separated by comma", ["--scopes", "keys:read,keys:write"]],
  ["separated by space", ["--scopes", "keys:read keys:write"]],
])("create takes several scopes %s", async (_, flags) => {
  const { stdout } = await keyward.cli("admin-keys", "create", "--name", "x", ...flags, "-o", "json");
  expect(JSON.parse(stdout).key.scopes).toEqual(["keys:read", "keys:write"]);
});

test("create refuses a scope that there is not, with exit code 2", async () => {
  const answer = await keyward.cli("admin-keys", "create", "--name", "x", "--scopes", "keys:reed");
  const stderr =
    'keyward: scopes[0] "keys:reed" must be one of keys:read, keys:write, owners:write, audit:read, admins:write, system:write\n';
  expect(answer).toEqual({ code: 2, stdout: "", stderr });
});

test("a key that was created opens the API over the network, is listed, and opens nothing once it is revoked", async () => {
  const { stdout } = await keyward.cli("admin-keys", "create", "--name", "over the network", "-q");
  const secret = stdout.trim();
  const overNetwork = ["--admin-url", `http://${keyward.admin}`, "--admin-key-file", `${keyward.folder}/key`];
  writeFileSync(`${keyward.folder}/key`, stdout);
  expect(await keyward.cli("keys", "list", ...overNetwork, "-q")).toEqual({ code: 0, stdout: "", stderr: "" });

  const active = await keyward.cli("admin-keys", "list");
  expect(active.stdout).toMatch(
    /^akey_\S+ {2}kwadm_\S+ {2}over the network +active {2}keys:read keys:write owners:write audit:read admins:write system:write/m,
  );
  expect(active.stdout).not.toContain(secret.slice(0, 16));
  const revoked = await keyward.cli("admin-keys", "revoke", secret.slice(0, 14));
  expect([revoked.code, revoked.stderr]).toEqual([0, ""]);
  expect(revoked.stdout).toMatch(/^revoked {2}\d{4}-\S+Z by local$/m);
  const after = await keyward.cli("admin-keys", "list");
  expect(after.stdout).toMatch(/ over the network +revoked +keys:read/);

  const refused = await keyward.cli("keys", "list", ...overNetwork, "-q");
  expect(refused).toEqual({ code: 1, stdout: "", stderr: "keyward: the admin key is not valid\n" });
});

test("revoke prints only the id with -q, and fails with exit code 1 for a key of the data plane", async () => {
  const created = await keyward.cli("admin-keys", "create", "--name", "x", "-o", "json");
  const { id } = JSON.parse(created.stdout).key as { id: string };
  expect(await keyward.cli("admin-keys", "revoke", id, "-q")).toEqual({ code: 0, stdout: `${id}\n`, stderr: "" });
  const { stdout: secret } = await keyward.cli("keys", "create", "--name", "x", "-q");
  const refused = await keyward.cli("admin-keys", "revoke", secret.trim());
  expect(refused).toEqual({ code: 1, stdout: "", stderr: "keyward: no key answers to that name\n" });
});

test("who has less than an admin key does not end it, with exit code 1", async () => {
  const { stdout: weak } = await keyward.cli(
    "admin-keys",
    "create",
    "--name",
    "weak",
    "--scopes",
    "admins:write",
    "-q",
  );
  const strong = await keyward.cli("admin-keys", "create", "--name", "strong", "-o", "json");
  const { id } = JSON.parse(strong.stdout).key as { id: string };
  writeFileSync(`${keyward.folder}/weak`, weak);
  const overNetwork = ["--admin-url", `http://${keyward.admin}`, "--admin-key-file", `${keyward.folder}/weak`];
  expect(await keyward.cli("admin-keys", "revoke", id, ...overNetwork)).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "keyward: you cannot end a key with keys:read, keys:write, owners:write, audit:read, system:write: you have admins:write\n",
  });
});

describe("a key of a tenant", () => {
  let id: string;
  beforeAll(async () => {
    const created = await keyward.cli("admin-keys", "create", "--name", "bound", "--tenant", "acme", "-o", "json");
    const { key, secret } = JSON.parse(created.stdout) as { key: { id: string; tenant: string }; secret: string };
    expect(key.tenant).toBe("acme");
    id = key.id;
    writeFileSync(`${keyward.folder}/bound`, secret);
  });
  const asBound = (...args: string[]) =>
    keyward.cli(...args, "--admin-url", `http://${keyward.admin}`, "--admin-key-file", `${keyward.folder}/bound`);

  test("is listed with it, and sees itself alone", async () => {
    const all = await keyward.cli("admin-keys", "list");
    expect(all.stdout).toMatch(new RegExp(`^${id} +kwadm_\\S+ +bound +acme +active +keys:read`, "m"));
    const seen = await asBound("admin-keys", "list", "-q");
    expect(seen).toEqual({ code: 0, stdout: `${id}\n`, stderr: "" });
  });

  test("makes others of its tenant, without being told", async () => {
    const { stdout } = await asBound("admin-keys", "create", "--name", "of a kind", "--scopes", "keys:read");
    expect(stdout).toMatch(/^tenant +acme$/m);
    const all = await keyward.cli("admin-keys", "list");
    expect(all.stdout).toMatch(/^akey_\S+ +kwadm_\S+ +of a kind +acme +active +keys:read +\d/m);
  });

  test("makes none of another, and none of a tenant that is no tenant, each with its exit code", async () => {
    const stderr = "keyward: this admin key is bound to the tenant acme and sees no other\n";
    const other = await asBound("admin-keys", "create", "--name", "x", "--tenant", "globex");
    expect(other).toEqual({ code: 1, stdout: "", stderr });
    const form = '1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit';
    const malformed = await keyward.cli("admin-keys", "create", "--name", "x", "--tenant", "Acme");
    expect(malformed).toEqual({ code: 2, stdout: "", stderr: `keyward: tenant "Acme" must be ${form}\n` });
  });

  test("is not made of an empty text, which would be one that sees every tenant", async () => {
    const before = await keyward.cli("admin-keys", "list");
    const stderr = "keyward: --tenant must name a tenant; without it, the key is bound to none\n";
    const refused = await keyward.cli("admin-keys", "create", "--name", "x", "--tenant", "");
    expect(refused).toEqual({ code: 2, stdout: "", stderr });
    expect(await keyward.cli("admin-keys", "list")).toEqual(before);
  });
});
