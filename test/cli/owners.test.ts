import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
});
afterAll(() => keyward.stop());

const TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";

let count = 0;
const fresh = () => `user/u${++count}`;
const owners = (...args: string[]) => keyward.cli("owners", ...args);

/** Makes so many keys of an owner. */
async function withKeys(owner: string, keys: number, tenant = ""): Promise<void> {
  for (let made = 0; made < keys; made++) await createKey(keyward.adminSocket, { owner, tenant });
}

/** Calls OwnerService without the command line. */
const call = (method: string, request: object) =>
  adminCall<{ owner: Record<string, unknown> }>(keyward.adminSocket, `OwnerService/${method}Owner`, request);

/** An owner that is registered, with so many keys. */
async function registered(keys = 0, more: object = {}): Promise<string> {
  const owner = fresh();
  await withKeys(owner, keys);
  await call("Create", { owner, ...more });
  return owner;
}

/** The owner as the API's JSON has it. */
async function shown(owner: string, tenant = ""): Promise<Record<string, unknown>> {
  return (await call("Get", { owner, tenant })).owner;
}

/** The facts that a table of one record lists. */
const factsOf = (stdout: string) =>
  Object.fromEntries(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/)),
  );

describe("owners create", () => {
  test("prints one fact a line, and tells how many keys it concerns", async () => {
    const owner = fresh();
    await withKeys(owner, 2, "acme");
    await withKeys(owner, 1);
    const what = ["--tenant", "acme", "--display-name", "Alice A.", "--scopes", "api:read,orders:*"];
    const { code, stdout, stderr } = await owners("create", owner, ...what);
    expect([code, stderr]).toEqual([0, "2 keys are cut to its scopes now.\n"]);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["owner", owner],
      ["tenant", "acme"],
      ["display name", "Alice A."],
      ["state", "active"],
      ["scopes", "api:read orders:*"],
      ["keys", "2"],
      ["created", expect.stringMatching(new RegExp(`^${TIME} by local$`))],
      ["etag", expect.stringMatching(/^\d+$/)],
      [""],
    ]);
  });

  test.each<[title: string, flags: string[], list: object, scopes: string]>([
    ["no list without --scopes", [], {}, "any scopes"],
    ["an empty list for nothing", ["--scopes", ""], { limitScopes: true }, "no scopes"],
    ["a list by comma", ["--scopes", "a,b"], { limitScopes: true, scopes: ["a", "b"] }, "a b"],
    ["a list by repeating", ["--scopes", "a", "--scopes", "b"], { limitScopes: true, scopes: ["a", "b"] }, "a b"],
    ["a list by space", ["--scopes", "a b"], { limitScopes: true, scopes: ["a", "b"] }, "a b"],
  ])("makes %s", async (_, flags, list, scopes) => {
    const owner = fresh();
    const { stdout } = await owners("create", owner, ...flags);
    expect(factsOf(stdout).scopes).toBe(scopes);
    const { limitScopes, scopes: kept } = await shown(owner);
    expect({ limitScopes, scopes: kept }).toEqual({ limitScopes: undefined, scopes: undefined, ...list });
  });

  test.each([
    [[], 0, "0 keys are governed by it now.\n"],
    [[], 1, "1 key is governed by it now.\n"],
    [["--scopes", "a"], 1, "1 key is cut to its scopes now.\n"],
  ])("with %j and %i keys tells %j", async (flags, keys, message) => {
    const owner = fresh();
    await withKeys(owner, keys);
    expect((await owners("create", owner, ...flags)).stderr).toBe(message);
  });

  test("prints the API's JSON, the same as YAML, or only the name", async () => {
    const [one, other, third] = [fresh(), fresh(), fresh()];
    const json = await owners("create", one, "--tenant", "acme", "-o", "json");
    expect(JSON.parse(json.stdout)).toMatchObject({ owner: { owner: one, tenant: "acme" }, enforced: true });
    const yaml = await owners("create", other, "-o", "yaml");
    expect(parse(yaml.stdout)).toMatchObject({ owner: { owner: other }, enforced: true });
    expect(await owners("create", third, "-q")).toEqual({ code: 0, stdout: `${third}\n`, stderr: "" });
  });

  test("of an owner that is registered fails with exit code 1", async () => {
    const owner = await registered();
    const stderr = `keyward: the owner ${owner} is registered already\n`;
    expect(await owners("create", owner)).toEqual({ code: 1, stdout: "", stderr });
  });

  test("refuses what the API refuses, field by field, with exit code 2", async () => {
    const { code, stdout, stderr } = await owners("create", "alice", "--tenant", "Acme");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^keyward: owner "alice" must be "user\/…".*\n {2}tenant "Acme" must be 1 to 63/);
  });
});

describe("owners get", () => {
  test("shows the one of its tenant, and not the one without", async () => {
    const owner = await registered(0, { displayName: "without" });
    await call("Create", { owner, tenant: "acme", displayName: "within" });
    expect(factsOf((await owners("get", owner)).stdout)["display name"]).toBe("without");
    const within = factsOf((await owners("get", owner, "--tenant", "acme")).stdout);
    expect([within["display name"], within.tenant]).toEqual(["within", "acme"]);
  });

  test("of one that is not registered fails with exit code 1", async () => {
    const stderr = "keyward: the owner user/nobody of the tenant acme is not registered\n";
    expect(await owners("get", "user/nobody", "--tenant", "acme")).toEqual({ code: 1, stdout: "", stderr });
  });
});

describe("owners list", () => {
  const names = ["project/p", "user/a", "user/b"];
  beforeAll(async () => {
    for (const owner of names.toReversed()) await call("Create", { owner, tenant: "list" });
    const other = { owner: "user/a", tenant: "lis" };
    await call("Create", { ...other, scopes: ["x", "y"], displayName: "Alice" });
    await withKeys("user/a", 1, "lis");
    await call("Update", { ...other, updateMask: "disabled", disabled: true });
  });

  test("of a tenant prints its owners in the order of their names", async () => {
    expect(await owners("list", "--tenant", "list", "-q")).toEqual({
      code: 0,
      stdout: names.map((name) => `${name}\n`).join(""),
      stderr: "",
    });
  });

  test("without a tenant prints those of every tenant", async () => {
    const { stdout } = await owners("list", "-o", "json");
    const listed = (JSON.parse(stdout).owners as { owner: string; tenant?: string }[]).filter(({ owner }) =>
      names.includes(owner),
    );
    expect(listed.map(({ owner, tenant }) => `${tenant} ${owner}`)).toEqual([
      "lis user/a",
      ...names.map((name) => `list ${name}`),
    ]);
  });

  test("aligns its columns", async () => {
    const { code, stdout, stderr } = await owners("list", "--tenant", "lis");
    const [head = "", row = "", ...rest] = stdout.split("\n");
    expect([code, stderr, rest]).toEqual([0, "", [""]]);
    expect(head.split(/ {2,}/)).toEqual(["OWNER", "TENANT", "STATE", "KEYS", "CREATED", "SCOPES", "DISPLAY NAME"]);
    expect(row).toMatch(new RegExp(`^user/a {2}lis {5}disabled {2}1 {5}${TIME} {2}x y {5}Alice$`));
  });

  test("that finds nothing says so on stderr, unless quiet, and is no failure", async () => {
    const nothing = ["list", "--tenant", "nothing"];
    expect(await owners(...nothing)).toMatchObject({ code: 0, stderr: "no owners\n" });
    expect(await owners(...nothing, "-q")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await owners(...nothing, "-o", "json")).toMatchObject({ code: 0, stdout: "{}\n" });
  });
});

describe("owners update", () => {
  test.each<[title: string, flags: string[], after: object, message: string]>([
    ["another list", ["--scopes", "b"], { limitScopes: true, scopes: ["b"] }, "2 keys are cut to its scopes now.\n"],
    [
      "an empty list",
      ["--scopes", ""],
      { limitScopes: true, scopes: undefined },
      "2 keys are cut to its scopes now.\n",
    ],
    [
      "no list",
      ["--any-scopes"],
      { limitScopes: undefined, scopes: undefined },
      "2 keys are cut to its scopes no longer.\n",
    ],
    ["another display name", ["--display-name", "Bob"], { displayName: "Bob" }, ""],
    ["no display name", ["--display-name", ""], { displayName: undefined }, ""],
  ])("sets %s and leaves the rest as it was", async (_, flags, after, message) => {
    const owner = await registered(2, { scopes: ["a"], displayName: "Alice" });
    const before = await shown(owner);
    const { code, stderr } = await owners("update", owner, ...flags);
    expect([code, stderr]).toEqual([0, message]);
    const changing = { revision: expect.any(String), etag: expect.any(String), updatedAt: expect.any(String) };
    expect(await shown(owner)).toEqual({ ...before, ...after, ...changing });
  });

  test("touches only the owner of the tenant that is named", async () => {
    const owner = await registered(0, { scopes: ["a"] });
    await call("Create", { owner, tenant: "acme", scopes: ["a"] });
    const without = await shown(owner);
    await owners("update", owner, "--tenant", "acme", "--any-scopes");
    expect(await shown(owner)).toEqual(without);
    expect(await shown(owner, "acme")).not.toHaveProperty("scopes");
  });

  test("is made for the etag that was read, and for no other", async () => {
    const owner = await registered();
    const { etag } = await shown(owner);
    const update = ["update", owner, "--etag", String(etag), "-q"];
    expect(await owners(...update, "--display-name", "one")).toEqual({ code: 0, stdout: `${owner}\n`, stderr: "" });
    const { etag: present } = await shown(owner);
    expect(await owners(...update, "--display-name", "two")).toEqual({
      code: 1,
      stdout: "",
      stderr: `keyward: the owner has changed since; its etag is ${present}\n`,
    });
  });

  test.each([
    [[], "keyward: nothing to change: name at least one field (--help tells which)\n"],
    [
      ["--scopes", "a", "--any-scopes"],
      "error: option '--any-scopes' cannot be used with option '--scopes <scopes>'\n(--help tells what there is)\n",
    ],
  ])("refuses %j with exit code 2, and changes nothing", async (flags, message) => {
    const owner = await registered(0, { scopes: ["b"] });
    const before = await shown(owner);
    expect(await owners("update", owner, ...flags)).toEqual({ code: 2, stdout: "", stderr: message });
    expect(await shown(owner)).toEqual(before);
  });
});

test("owners disable and enable refuse the keys and let them open again, and tell how many", async () => {
  const owner = await registered(2, { scopes: ["a"] });
  const disabled = await owners("disable", owner);
  expect([disabled.code, disabled.stderr]).toEqual([0, "2 keys are refused now.\n"]);
  expect(factsOf(disabled.stdout)).toMatchObject({
    state: "disabled",
    disabled: expect.stringMatching(TIME),
    scopes: "a",
  });
  const enabled = await owners("enable", owner);
  expect([enabled.code, enabled.stderr]).toEqual([0, "2 keys are refused for it no longer.\n"]);
  expect(factsOf(enabled.stdout)).toMatchObject({ state: "active", scopes: "a" });
  expect(await owners("disable", owner, "-q")).toEqual({ code: 0, stdout: `${owner}\n`, stderr: "" });
});

test.each([
  ["disable", false],
  ["enable", true],
])("owners %s touches only the owner of the tenant that is named", async (command, disabled) => {
  const owner = await registered();
  await call("Create", { owner, tenant: "acme" });
  for (const tenant of ["", "acme"]) await call("Update", { owner, tenant, updateMask: "disabled", disabled });
  await owners(command, owner, "--tenant", "acme");
  const [without, within] = [await shown(owner), await shown(owner, "acme")];
  expect([without.disabled ?? false, within.disabled ?? false]).toEqual([disabled, !disabled]);
});

describe("owners delete", () => {
  test("asks nothing, and prints how many keys were revoked", async () => {
    const owner = fresh();
    await withKeys(owner, 2, "acme");
    await withKeys(owner, 1);
    await call("Create", { owner, tenant: "acme" });
    const { code, stdout, stderr } = await owners("delete", owner, "--tenant", "acme");
    expect([code, stderr]).toEqual([0, ""]);
    expect(factsOf(stdout)).toEqual({ deleted: owner, tenant: "acme", "revoked keys": "2" });
    const states = await keyward.cli("keys", "list", "--owner", owner, "-o", "json");
    const { keys } = JSON.parse(states.stdout) as { keys: { tenant?: string; state: string }[] };
    expect(keys.map(({ tenant = "none", state }) => `${tenant} ${state}`)).toEqual([
      "acme KEY_STATE_REVOKED",
      "acme KEY_STATE_REVOKED",
      "none KEY_STATE_ACTIVE",
    ]);
    expect((await owners("get", owner, "--tenant", "acme")).code).toBe(1);
  });

  test("prints only the number with -q, and the API's JSON with -o json", async () => {
    expect(await owners("delete", await registered(3), "-q")).toEqual({ code: 0, stdout: "3\n", stderr: "" });
    expect(await owners("delete", await registered(), "-q")).toEqual({ code: 0, stdout: "0\n", stderr: "" });
    const { stdout } = await owners("delete", await registered(1), "-o", "json");
    expect(JSON.parse(stdout)).toEqual({ revokedKeys: "1", enforced: true });
  });

  test("is made for the etag that was read, and for no other", async () => {
    const owner = await registered(1);
    const { etag } = await shown(owner);
    await call("Update", { owner, updateMask: "displayName", displayName: "x" });
    const { etag: present } = await shown(owner);
    const stderr = `keyward: the owner has changed since; its etag is ${present}\n`;
    expect(await owners("delete", owner, "--etag", String(etag))).toEqual({ code: 1, stdout: "", stderr });
    expect((await owners("delete", owner, "--etag", String(present), "-q")).stdout).toBe("1\n");
  });
});

test("over the network an admin key with owners:write changes owners, and one without does not", async () => {
  const fileOf = async (name: string, ...scopes: string[]) => {
    const { stdout } = await keyward.cli("admin-keys", "create", "--name", name, "--scopes", scopes.join(","), "-q");
    writeFileSync(`${keyward.folder}/${name}`, stdout);
    return ["--admin-url", `http://${keyward.admin}`, "--admin-key-file", `${keyward.folder}/${name}`];
  };
  const may = await fileOf("may", "owners:write");
  const mayNot = await fileOf("may-not", "keys:read", "keys:write");
  const owner = fresh();
  expect(await owners("create", owner, ...mayNot)).toEqual({
    code: 1,
    stdout: "",
    stderr: "keyward: this needs the admin scope owners:write; you have keys:read, keys:write\n",
  });
  expect(await owners("create", owner, ...may, "-q")).toEqual({ code: 0, stdout: `${owner}\n`, stderr: "" });
});
