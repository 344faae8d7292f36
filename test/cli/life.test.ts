import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall } from "../support/admin-call.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
});
afterAll(() => keyward.stop());

interface ShownKey {
  id: string;
  start: string;
  state: string;
  etag: string;
  createdAt: string;
  updatedAt: string;
  expiresAt?: string;
  graceEndsAt?: string;
}

/** Creates a key over the API and returns its record. */
async function created(more: object = {}): Promise<ShownKey> {
  const { key } = await adminCall<{ key: ShownKey }>(keyward.adminSocket, "KeyService/CreateKey", {
    name: "k",
    ...more,
  });
  return key;
}

/** The record of a key, from the API. */
async function get(key: string): Promise<ShownKey> {
  return (await adminCall<{ key: ShownKey }>(keyward.adminSocket, "KeyService/GetKey", { key })).key;
}

/** The record that `keyward keys …` prints as JSON, where it ends well. */
async function changed(...args: string[]): Promise<ShownKey> {
  const { code, stdout, stderr } = await keyward.cli("keys", ...args, "-o", "json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout).key;
}

/** One fact a line, by its name. */
const factsOf = (stdout: string) => new Map(stdout.split("\n").map((line) => line.split(/ {2,}/) as [string, string]));

const msBetween = (from: string, to = "") => Date.parse(to) - Date.parse(from);

describe("keys create", () => {
  test.each<[title: string, flags: string[], limits: object]>([
    ["methods repeated", ["--method", "GET", "--method", "POST"], { methods: ["GET", "POST"] }],
    ["methods separated by comma", ["--method", "GET,POST"], { methods: ["GET", "POST"] }],
    ["methods separated by space", ["--method", "GET POST"], { methods: ["GET", "POST"] }],
    ["networks", ["--cidr", "10.0.0.0/8,::1", "--cidr", "192.0.2.1"], { cidrs: ["10.0.0.0/8", "::1", "192.0.2.1"] }],
  ])("takes %s", async (_, flags, limits) => {
    const { stdout } = await keyward.cli("keys", "create", "--name", "k", ...flags, "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({ key: limits });
  });

  test("refuses a network with host bits, and says what to write", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "k", "--cidr", "10.0.0.1/8");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe('keyward: cidrs[0] "10.0.0.1/8" has bits beyond its prefix; write 10.0.0.0/8\n');
  });

  test("with the same request id returns the same key, without its secret", async () => {
    const flags = ["keys", "create", "--name", "k", "--request-id", "cli-1"];
    const first = await keyward.cli(...flags, "-o", "json");
    const { secret, ...rest } = JSON.parse(first.stdout);
    expect(secret).toMatch(/^kw_/);
    const second = await keyward.cli(...flags, "-o", "json");
    expect([second.code, second.stderr]).toEqual([0, "This request was made before; its secret was shown then.\n"]);
    expect(JSON.parse(second.stdout)).toEqual(rest);
    // Nothing else was asked for, and an empty file must not take the place of the secret.
    expect(await keyward.cli(...flags, "-q")).toMatchObject({ code: 1, stdout: "" });
  });

  test("with the same request id and other words is refused", async () => {
    await created({ requestId: "cli-2" });
    const { code, stderr } = await keyward.cli("keys", "create", "--name", "other", "--request-id", "cli-2");
    expect([code, stderr]).toEqual([1, "keyward: this request_id was used for another request\n"]);
  });

  test("with --validate-only makes nothing", async () => {
    const flags = ["--name", "k", "--owner", "project/valid", "--validate-only"];
    const { code, stdout, stderr } = await keyward.cli("keys", "create", ...flags);
    expect([code, stderr]).toEqual([0, "The request is valid; nothing was created.\n"]);
    expect(factsOf(stdout).get("owner")).toBe("project/valid");
    expect(factsOf(stdout).has("secret")).toBe(false);
    expect((await keyward.cli("keys", "list", "--owner", "project/valid", "-q")).stdout).toBe("");
  });
});

describe("keys update", () => {
  test("changes what is named and leaves the rest", async () => {
    const { id } = await created({ scopes: ["a"], paths: ["/v1"], note: "old" });
    const after = await changed("update", id, "--scopes", "b,c", "--name", "renamed");
    expect(after).toMatchObject({ name: "renamed", scopes: ["b", "c"], paths: ["/v1"], note: "old" });
  });

  test.each([
    ["--note", "note"],
    ["--scopes", "scopes"],
    ["--path", "paths"],
    ["--method", "methods"],
    ["--cidr", "cidrs"],
    ["--not-before", "notBefore"],
  ])('%s "" clears it', async (flag, field) => {
    const lists = { scopes: ["a"], paths: ["/v1"], methods: ["GET"], cidrs: ["10.0.0.0/8"] };
    const key = await created({ ...lists, note: "old", notBefore: "2030-01-01T00:00:00Z" });
    expect(key).toHaveProperty(field);
    expect(await changed("update", key.id, flag, "")).not.toHaveProperty(field);
  });

  test.each([
    ["600", 600_000],
    ["90d", 90 * 86_400_000],
  ])("--expires-in %s counts from now", async (text, ms) => {
    const { id } = await created();
    const before = Date.now();
    const { expiresAt = "" } = await changed("update", id, "--expires-in", text);
    expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(ms);
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(ms);
  });

  test("--expires-in never takes the end away, and a time is taken as it is", async () => {
    const { id, expiresAt } = await created({ expiresIn: "7776000s" });
    expect(expiresAt).toBeDefined();
    expect(await changed("update", id, "--expires-in", "2999-12-31T23:59:59Z")).toMatchObject({
      expiresAt: "2999-12-31T23:59:59Z",
    });
    expect(await changed("update", id, "--expires-in", "never")).not.toHaveProperty("expiresAt");
  });

  test("--etag of a record that has changed since fails with exit code 1 and the present one", async () => {
    const { id, etag } = await created();
    const { etag: present } = await changed("update", id, "--etag", etag, "--name", "first");
    const { code, stdout, stderr } = await keyward.cli("keys", "update", id, "--etag", etag, "--name", "second");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(`keyward: the key has changed since; its etag is ${present}\n`);
  });

  test("of nothing is refused with exit code 2", async () => {
    const { id } = await created();
    expect(await keyward.cli("keys", "update", id)).toEqual({
      code: 2,
      stdout: "",
      stderr: "keyward: nothing to change: name at least one field (--help tells which)\n",
    });
  });

  test("prints the facts, among them the etag for the next update", async () => {
    const { id } = await created();
    const { stdout } = await keyward.cli("keys", "update", id, "--method", "GET", "--cidr", "10.0.0.0/8");
    const facts = factsOf(stdout);
    expect([facts.get("methods"), facts.get("cidrs")]).toEqual(["GET", "10.0.0.0/8"]);
    expect(facts.get("etag")).toBe((await get(id)).etag);
  });
});

describe("keys disable and enable", () => {
  test("refuse a key for a while", async () => {
    const { id } = await created();
    expect(await changed("disable", id)).toMatchObject({ state: "KEY_STATE_DISABLED" });
    const { stdout } = await keyward.cli("keys", "get", id);
    expect(factsOf(stdout).get("state")).toBe("disabled");
    expect(factsOf(stdout).get("disabled")).toMatch(/^\d{4}-.*Z$/);
    expect(await changed("enable", id)).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test.each(["disable", "enable"])("%s prints only the id with -q, and takes the key's start", async (command) => {
    const { id, start } = await created();
    expect(await keyward.cli("keys", command, start, "-q")).toEqual({ code: 0, stdout: `${id}\n`, stderr: "" });
  });

  test.each(["disable", "enable"])("%s of a revoked key fails with exit code 1", async (command) => {
    const { id } = await created();
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id });
    const message = "keyward: a revoked key is refused for good\n";
    expect(await keyward.cli("keys", command, id)).toEqual({ code: 1, stdout: "", stderr: message });
  });
});

describe("keys rotate", () => {
  test("prints the successor with its secret, and says on stderr how long the old key opens", async () => {
    const { id, start } = await created({ scopes: ["a"] });
    const { code, stdout, stderr } = await keyward.cli("keys", "rotate", start, "--grace", "7d");
    const facts = factsOf(stdout);
    expect([code, facts.get("scopes"), facts.get("predecessor")]).toEqual([0, "a", id]);
    expect(facts.get("secret")).toMatch(/^kw_[0-9A-Za-z]{49}$/);
    const old = await get(id);
    expect(old.state).toBe("KEY_STATE_ROTATED");
    expect(msBetween(old.updatedAt, old.graceEndsAt)).toBe(7 * 86_400_000);
    const end = old.graceEndsAt?.replace(/\.\d+Z$/, "Z");
    expect(stderr).toBe(`The old key ${start} opens until ${end}.\n`);
  });

  test.each(["0", "0d"])("with --grace %s the old key opens no more", async (grace) => {
    const { id, start } = await created();
    const { code, stderr } = await keyward.cli("keys", "rotate", id, "--grace", grace);
    expect([code, stderr]).toEqual([0, `The old key ${start} opens no more.\n`]);
    expect(await get(id)).toMatchObject({ state: "KEY_STATE_REVOKED" });
  });

  test("without --grace the old key opens for a day", async () => {
    const { id } = await created();
    await keyward.cli("keys", "rotate", id, "-q");
    const { updatedAt, graceEndsAt } = await get(id);
    expect(msBetween(updatedAt, graceEndsAt)).toBe(86_400_000);
  });

  test("prints only the secret with -q", async () => {
    const { id } = await created();
    const { code, stdout, stderr } = await keyward.cli("keys", "rotate", id, "-q");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^kw_[0-9A-Za-z]{49}\n$/);
  });

  test("keeps the end of the old key's life unless another is asked for", async () => {
    const { id, expiresAt } = await created({ expiresIn: "7776000s" });
    const first = JSON.parse((await keyward.cli("keys", "rotate", id, "-o", "json")).stdout).key as ShownKey;
    expect(first.expiresAt).toBe(expiresAt);
    const longer = await keyward.cli("keys", "rotate", first.id, "--expires-in", "never", "-o", "json");
    expect(JSON.parse(longer.stdout).key).not.toHaveProperty("expiresAt");
  });

  test("with the same request id rotates once", async () => {
    const { id } = await created();
    const flags = ["keys", "rotate", id, "--request-id", "cli-rotate", "-o", "json"];
    const { secret, ...first } = JSON.parse((await keyward.cli(...flags)).stdout);
    const second = await keyward.cli(...flags);
    expect(secret).toMatch(/^kw_/);
    expect(JSON.parse(second.stdout)).toEqual(first);
    expect(second.stderr).toBe("This request was made before; its secret was shown then.\n");
  });

  test("of a rotated key fails with exit code 1", async () => {
    const { id } = await created();
    await adminCall(keyward.adminSocket, "KeyService/RotateKey", { key: id });
    const message = "keyward: only an active key can be rotated; this one is rotated\n";
    expect(await keyward.cli("keys", "rotate", id)).toEqual({ code: 1, stdout: "", stderr: message });
  });

  test.each(["never", "-1", ""])("--grace %j is refused with exit code 2", async (grace) => {
    const { id } = await created();
    const { code, stdout, stderr } = await keyward.cli("keys", "rotate", id, `--grace=${grace}`);
    const message = `keyward: --grace ${grace} must be a duration such as 600 (seconds), 24h or 7d\n`;
    expect([code, stdout, stderr]).toEqual([2, "", message]);
  });

  test("a grace period of more than a year is refused with exit code 2", async () => {
    const { id } = await created();
    const { code, stderr } = await keyward.cli("keys", "rotate", id, "--grace", "366d");
    expect([code, stderr]).toEqual([2, "keyward: grace must be whole seconds >= 0 and <= 31557600\n"]);
  });
});

test.each([
  ["disabled", "disable"],
  ["rotated", "rotate"],
])("keys list --state %s has the keys that are", async (state, command) => {
  const owner = `project/${state}`;
  const [one, other] = [await created({ owner }), await created({ owner })];
  await keyward.cli("keys", command, one.id);
  const listed = await keyward.cli("keys", "list", "--owner", owner, "--state", state, "-q");
  expect(listed.stdout).toBe(`${one.id}\n`);
  const active = await keyward.cli("keys", "list", "--owner", owner, "--state", "active", "-q");
  expect(active.stdout.split("\n")).toContain(other.id);
});
