import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
});
afterAll(() => keyward.stop());

const SECRET = /^kw_[0-9A-Za-z]{49}$/;
const ID = /^key_[0-9A-Za-z]{20}$/;
const SHOWN_ONCE = "The secret is shown this once; only its SHA-256 is stored.\n";

/** Creates a key and returns it as the API's JSON has it. */
async function created(...flags: string[]): Promise<{ secret: string; key: Record<string, unknown> }> {
  const { stdout } = await keyward.cli("keys", "create", "--name", "x", ...flags, "-o", "json");
  return JSON.parse(stdout);
}

describe("keys create", () => {
  test("prints one fact a line, and says on stderr that the secret is shown once", async () => {
    const key = ["--name", "CI pipeline", "--owner", "service/ci", "--tenant", "acme", "--note", "for\nthe build"];
    const what = ["--scopes", "api:read", "--path", "/api/v1", "--not-before", "2030-01-01T00:00:00Z"];
    const { code, stdout, stderr } = await keyward.cli("keys", "create", ...key, ...what);
    expect([code, stderr]).toEqual([0, SHOWN_ONCE]);
    const facts = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(facts).toEqual([
      ["secret", expect.stringMatching(SECRET)],
      ["id", expect.stringMatching(ID)],
      ["start", expect.stringMatching(/^kw_[0-9A-Za-z]{8}$/)],
      ["name", "CI pipeline"],
      ["owner", "service/ci"],
      ["tenant", "acme"],
      ["state", "active"],
      ["scopes", "api:read"],
      ["paths", "/api/v1"],
      ["not before", "2030-01-01T00:00:00Z"],
      ["expires", "never"],
      ["note", "for"],
      ["", "the build"],
      ["created", expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by local$/)],
      ["etag", "1"],
      [""],
    ]);
  });

  test("prints the API's JSON with -o json", async () => {
    const { secret, key, ...others } = await created("--owner", "service/ci");
    expect(secret).toMatch(SECRET);
    expect(key).toMatchObject({ id: expect.stringMatching(ID), owner: "service/ci", state: "KEY_STATE_ACTIVE" });
    expect(others).toEqual({ enforced: true });
  });

  test("prints the same as YAML with -o yaml", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "yes", "-o", "yaml");
    expect([code, stderr]).toEqual([0, SHOWN_ONCE]);
    expect(parse(stdout)).toMatchObject({
      key: { name: "yes" },
      secret: expect.stringMatching(SECRET),
      enforced: true,
    });
  });

  test.each([["-q"], ["--quiet"], ["-q", "-o", "json"]])("prints only the secret with %s", async (...flags) => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "x", ...flags);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^kw_[0-9A-Za-z]{49}\n$/);
  });

  test.each([
    ["repeated", ["--scopes", "a", "--scopes", "b"], ["a", "b"]],
    ["separated by comma", ["--scopes", "a,b"], ["a", "b"]],
    ["separated by space", ["--scopes", "a b"], ["a", "b"]],
    ["separated in every way", ["--scopes", " a, b ,c", "--scopes=d"], ["a", "b", "c", "d"]],
  ])("takes several scopes %s", async (_, flags, scopes) => {
    expect((await created(...flags)).key.scopes).toEqual(scopes);
  });

  test("takes several paths by repeating the flag; a comma belongs to the path", async () => {
    expect((await created("--path", "/a,b", "--path", "=/c")).key.paths).toEqual(["/a,b", "=/c"]);
  });

  test("refuses what the API refuses, field by field, with exit code 2", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "", "--path", "v1");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe('keyward: name is required\n  paths[0] "v1" must begin with "/" or "=/"\n');
  });
});

describe("keys get", () => {
  test.each<[title: string, name: (key: { id: string; start: string }, secret: string) => string]>([
    ["its id", ({ id }) => id],
    ["its start", ({ start }) => start],
    ["eight characters", ({ start }) => start.slice(3)],
    ["the key itself", (_, secret) => secret],
  ])("shows a key by %s", async (_, nameOf) => {
    const { key, secret } = await created();
    const named = { id: String(key.id), start: String(key.start) };
    const { code, stdout, stderr } = await keyward.cli("keys", "get", nameOf(named, secret), "-q");
    expect([code, stdout, stderr]).toEqual([0, `${key.id}\n`, ""]);
  });

  test("shows the record, and never the secret", async () => {
    const { key, secret } = await created();
    const { stdout } = await keyward.cli("keys", "get", String(key.id), "-o", "json");
    expect(JSON.parse(stdout)).toEqual({ key });
    const table = await keyward.cli("keys", "get", secret);
    expect(table.stdout).toMatch(new RegExp(`^id +${key.id}\n`));
    expect(table.stdout).not.toContain(secret.slice(0, 12));
  });

  test("of a key that is not there fails with exit code 1 and does not repeat its name", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "get", "key_0");
    expect([code, stdout, stderr]).toEqual([1, "", "keyward: no key answers to that name\n"]);
  });
});

describe("keys list", () => {
  const ids: string[] = [];
  beforeAll(async () => {
    for (const flags of [
      ["--owner", "project/list", "--tenant", "one"],
      ["--owner", "project/list", "--tenant", "two"],
      ["--owner", "project/lis", "--tenant", "two"],
    ]) {
      ids.push(String((await created(...flags)).key.id));
    }
    await keyward.cli("keys", "revoke", ids[1] ?? "");
  });

  test.each([
    [
      ["--owner", "project/list"],
      [0, 1],
    ],
    [["--owner", "project/list", "--tenant", "two"], [1]],
    [["--owner", "project/list", "--state", "active"], [0]],
    [["--owner", "project/list", "--state", "revoked"], [1]],
    [["--owner", "project/list", "--state", "EXPIRED"], []],
    [
      ["--tenant", "two"],
      [1, 2],
    ],
  ])("with %j gives the keys %j", async (flags, expected) => {
    const { code, stdout } = await keyward.cli("keys", "list", ...flags, "-q");
    expect(code).toBe(0);
    expect(stdout).toBe(expected.map((index) => `${ids[index]}\n`).join(""));
  });

  test("aligns its columns", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "list", "--owner", "project/lis");
    const [head = "", row = "", ...rest] = stdout.split("\n");
    expect([code, stderr, rest]).toEqual([0, "", [""]]);
    expect(head.split(/ {2,}/)).toEqual([
      "ID",
      "START",
      "NAME",
      "OWNER",
      "TENANT",
      "STATE",
      "CREATED",
      "EXPIRES",
      "LAST USED",
      "SCOPES",
      "NOTE",
    ]);
    expect(row).toMatch(/^key_\S+ {2}kw_\S+ {2}x {5}project\/lis {2}two {5}active {2}\S+Z {2}never {4}never$/);
    expect(row.indexOf("project/lis")).toBe(head.indexOf("OWNER"));
  });

  test("prints JSON that has the keys under `keys`", async () => {
    const { stdout } = await keyward.cli("keys", "list", "--owner", "project/list", "-o", "json");
    const { keys } = JSON.parse(stdout) as { keys: { id: string }[] };
    expect(keys.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  });

  test("that finds nothing says so on stderr, unless quiet, and is no failure", async () => {
    const nobody = ["keys", "list", "--owner", "user/nobody"];
    expect(await keyward.cli(...nobody)).toMatchObject({ code: 0, stderr: "no keys\n" });
    expect(await keyward.cli(...nobody, "-q")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await keyward.cli(...nobody, "-o", "json")).toMatchObject({ code: 0, stdout: "{}\n" });
  });

  test.each([
    [["--state", "off"], 'filter compares state with "off"; it can be ACTIVE, DISABLED, EXPIRED, REVOKED, ROTATED'],
    [
      ["--owner", 'x" AND state = "active'],
      '--owner x" AND state = "active must hold no quotation mark and no backslash',
    ],
    [["--tenant", "a\\b"], "--tenant a\\b must hold no quotation mark and no backslash"],
  ])("refuses %j with exit code 2", async (flags, message) => {
    const { code, stdout, stderr } = await keyward.cli("keys", "list", ...flags);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`keyward: ${message}\n`);
  });
});

describe("keys revoke", () => {
  test("ends a key and prints what has become of it", async () => {
    const { key } = await created();
    const revoked = await keyward.cli("keys", "revoke", String(key.start), "--reason", "left the company");
    expect([revoked.code, revoked.stderr]).toEqual([0, ""]);
    const facts = new Map(revoked.stdout.split("\n").map((line) => line.split(/ {2,}/) as [string, string]));
    expect([facts.get("id"), facts.get("state"), facts.get("reason")]).toEqual([key.id, "revoked", "left the company"]);
    expect(facts.get("revoked")).toMatch(/Z by local$/);
  });

  test("a second time prints the same", async () => {
    const { key } = await created();
    const first = await keyward.cli("keys", "revoke", String(key.id), "--reason", "first", "-o", "json");
    const second = await keyward.cli("keys", "revoke", String(key.id), "--reason", "second", "-o", "json");
    expect(second).toEqual(first);
    expect(JSON.parse(first.stdout)).toMatchObject({ key: { revokeReason: "first" }, enforced: true });
  });

  test("prints only the id with -q", async () => {
    const { key } = await created();
    const { stdout } = await keyward.cli("keys", "revoke", String(key.id), "-q");
    expect(stdout).toBe(`${key.id}\n`);
  });

  test("of a key that is not there fails with exit code 1", async () => {
    const { code, stdout, stderr } = await keyward.cli("keys", "revoke", "key_0", "-q");
    expect([code, stdout, stderr]).toEqual([1, "", "keyward: no key answers to that name\n"]);
  });
});
