import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall } from "../support/admin-call.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
  const owner = { owner: "service/listed", scopes: ["orders:read"] };
  await adminCall(keyward.adminSocket, "OwnerService/CreateOwner", owner);
});
afterAll(() => keyward.stop());

interface ShownKey {
  id: string;
  start: string;
  state: string;
  revision: string;
  [field: string]: unknown;
}

const create = (...flags: string[]) => keyward.cli("keys", "create", "--name", "k", ...flags);

/** Creates a key over the API and returns its record. */
async function created(more: object = {}): Promise<ShownKey> {
  const request = { name: "k", ...more };
  return (await adminCall<{ key: ShownKey }>(keyward.adminSocket, "KeyService/CreateKey", request)).key;
}

/** The record of a key, from the API. */
async function get(key: string): Promise<ShownKey> {
  return (await adminCall<{ key: ShownKey }>(keyward.adminSocket, "KeyService/GetKey", { key })).key;
}

/** The record that a command prints as JSON, where it ends well. */
async function keyOf(command: Promise<{ code: number | null; stdout: string }>): Promise<ShownKey> {
  const { code, stdout } = await command;
  expect(code).toBe(0);
  return JSON.parse(stdout).key;
}

const updated = (key: string, ...flags: string[]) => keyOf(keyward.cli("keys", "update", key, ...flags, "-o", "json"));

/** One fact a line, by its name; what goes on in the next line has no name. */
const factsOf = (stdout: string) => stdout.split("\n").map((line) => line.split(/ {2,}/));

const refusedWith = (code: number, message: string) => ({ code, stdout: "", stderr: `keyward: ${message}\n` });

describe("--metadata", () => {
  test.each<[title: string, flags: string[], metadata: object]>([
    ["one entry", ["--metadata", "team=payments"], { team: "payments" }],
    ["several, by repeating the flag", ["--metadata", "a=1", "--metadata", "b=2"], { a: "1", b: "2" }],
    ["a value with equals signs", ["--metadata", "query=a=b=="], { query: "a=b==" }],
    ["a value with commas and spaces", ["--metadata", "who=Ann, Bob"], { who: "Ann, Bob" }],
    ["an empty value", ["--metadata", "team="], { team: "" }],
  ])("gives a key %s", async (_, flags, metadata) => {
    expect((await keyOf(create(...flags, "-o", "json"))).metadata).toEqual(metadata);
  });

  test("gives a key a name that sets JavaScript's prototypes", async () => {
    const { id } = await keyOf(create("--metadata", "__proto__=x", "-o", "json"));
    expect(Object.entries((await get(id)).metadata ?? {})).toEqual([["__proto__", "x"]]);
  });

  test.each<[title: string, flags: string[], message: string]>([
    ["without an equals sign", ["team"], "--metadata team must be NAME=VALUE"],
    ["of nothing", [""], "--metadata  must be NAME=VALUE"],
    ["twice of the same name", ["a=1", "b=2", "a=1"], "--metadata names a twice"],
    [
      "of a name that the API refuses",
      ["a b=1"],
      'metadata has the name "a b"; it must be 1 to 64 of A-Z, a-z, 0-9 and . _ / -',
    ],
    ["of a value that the API refuses", ["a=1\n2"], "metadata[a] must hold no control characters"],
  ])("%s is refused with exit code 2", async (_, pairs, message) => {
    const flags = pairs.flatMap((pair) => ["--metadata", pair]);
    expect(await create(...flags)).toEqual(refusedWith(2, message));
  });

  test("in an update replaces all entries, and is looked at as closely", async () => {
    const { id } = await created({ metadata: { a: "1", b: "2" } });
    expect((await updated(id, "--metadata", "b=3", "--metadata", "c=d=e")).metadata).toEqual({ b: "3", c: "d=e" });
    const update = keyward.cli("keys", "update", id, "--metadata", "a=1", "--metadata", "a=2");
    expect(await update).toEqual(refusedWith(2, "--metadata names a twice"));
  });

  test('"" in an update clears it, and no flag leaves it', async () => {
    const { id } = await created({ metadata: { a: "1" } });
    expect((await updated(id, "--note", "x")).metadata).toEqual({ a: "1" });
    expect(await updated(id, "--metadata", "")).not.toHaveProperty("metadata");
  });
});

describe("--rate-limit", () => {
  test.each<[text: string, rateLimit: object]>([
    ["100/60s", { requests: 100, window: "60s" }],
    ["1000000/31d", { requests: 1_000_000, window: "2678400s" }],
  ])("%s is kept", async (text, rateLimit) => {
    expect(await keyOf(create("--rate-limit", text, "-o", "json"))).toMatchObject({ rateLimit });
  });

  test.each<[text: string, message: string]>([
    ["0/60s", "rate_limit.requests 0 must be >= 1 and <= 1000000"],
    ["1000001/60s", "rate_limit.requests 1000001 must be >= 1 and <= 1000000"],
    ["100/0s", "rate_limit.window must be whole seconds >= 1 and <= 2678400"],
    ["100/500ms", "rate_limit.window must be whole seconds >= 1 and <= 2678400"],
  ])("%s is out of bounds, with exit code 2", async (text, message) => {
    expect(await create("--rate-limit", text)).toEqual(refusedWith(2, message));
  });

  test.each(["-1/60s", "100", "100/60x"])("%s is refused with exit code 2", async (text) => {
    const message = `--rate-limit ${text} must be REQUESTS/WINDOW such as 100/60s or 10000/24h`;
    expect(await create("--rate-limit", text)).toEqual(refusedWith(2, message));
  });

  test('in an update sets it, "" takes it away, and no flag leaves it', async () => {
    const { id } = await created();
    const rateLimit = { requests: 5, window: "3600s" };
    expect(await updated(id, "--rate-limit", "5/1h")).toMatchObject({ rateLimit });
    expect(await updated(id, "--note", "x")).toMatchObject({ rateLimit });
    expect(await updated(id, "--rate-limit", "")).not.toHaveProperty("rateLimit");
  });

  test("in an update is looked at as closely", async () => {
    const { id } = await created();
    const message = "--rate-limit 100/60x must be REQUESTS/WINDOW such as 100/60s or 10000/24h";
    expect(await keyward.cli("keys", "update", id, "--rate-limit", "100/60x")).toEqual(refusedWith(2, message));
  });
});

describe("--inherit-scopes", () => {
  test("makes a key that has the scopes of its owner", async () => {
    const key = await keyOf(create("--owner", "service/listed", "--inherit-scopes", "-o", "json"));
    expect(key).toMatchObject({ inheritScopes: true });
    expect(key).not.toHaveProperty("scopes");
  });

  test.each<[title: string, flags: string[], code: number, message: string]>([
    ["without an owner", [], 2, "inherit_scopes needs an owner to inherit from"],
    [
      "beside scopes",
      ["--owner", "service/listed", "--scopes", "orders:read"],
      2,
      "inherit_scopes contradicts scopes: a key has those of its owner, or its own",
    ],
    [
      "of an owner who is not registered",
      ["--owner", "service/nobody"],
      1,
      "service/nobody has no list of scopes to inherit; register the owner with one",
    ],
  ])("%s is refused", async (_, flags, code, message) => {
    expect(await create("--inherit-scopes", ...flags)).toEqual(refusedWith(code, message));
  });

  test("in an update takes the key's own scopes away, and --scopes brings others", async () => {
    const { id } = await created({ owner: "service/listed", scopes: ["a"] });
    const inheriting = await updated(id, "--inherit-scopes");
    expect([inheriting.inheritScopes, inheriting.scopes]).toEqual([true, undefined]);
    const own = await updated(id, "--scopes", "b");
    expect([own.inheritScopes, own.scopes]).toEqual([undefined, ["b"]]);
  });

  test("and --scopes at once are refused in an update", async () => {
    const { id } = await created({ owner: "service/listed" });
    const message = "inherit_scopes contradicts scopes: a key has those of its owner, or its own";
    const update = keyward.cli("keys", "update", id, "--inherit-scopes", "--scopes", "a");
    expect(await update).toEqual(refusedWith(2, message));
  });
});

describe("--prefix", () => {
  test("is what the secret begins with", async () => {
    const { code, stdout } = await create("--prefix", "acme_live", "-q");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^acme_live_[0-9A-Za-z]{49}\n$/)]);
  });

  test("of admin keys is refused with exit code 2", async () => {
    const form = '1 to 32 of a-z, 0-9 and "_", no "_" at either end or twice in a row, and not kwadm';
    expect(await create("--prefix", "kwadm")).toEqual(refusedWith(2, `prefix "kwadm" must be ${form}`));
    expect(await create("--prefix", "kwadmx", "-q")).toMatchObject({ code: 0 });
  });
});

describe("--validate-only", () => {
  const UNCHANGED = "The request is valid; nothing was changed.\n";

  test("of an update prints the key as it would be, and changes nothing", async () => {
    const before = await created({ scopes: ["a"] });
    const flags = ["--scopes", "b", "--rate-limit", "5/60s", "--validate-only"];
    const { code, stdout, stderr } = await keyward.cli("keys", "update", before.id, ...flags);
    expect([code, stderr]).toEqual([0, UNCHANGED]);
    expect(factsOf(stdout)).toEqual(
      expect.arrayContaining([
        ["id", before.id],
        ["scopes", "b"],
        ["rate limit", "5/1m"],
      ]),
    );
    expect(await get(before.id)).toEqual(before);
  });

  test("of an update that would be refused is refused", async () => {
    const { id, revision } = await created();
    const update = (...flags: string[]) => keyward.cli("keys", "update", id, ...flags, "--validate-only");
    const stale = `the key has changed since; its etag is ${revision}`;
    expect(await update("--name", "x", "--etag", "0")).toEqual(refusedWith(1, stale));
    expect(await update("--name", "")).toEqual(refusedWith(2, "name is required"));
    expect(await update()).toEqual(refusedWith(2, "nothing to change: name at least one field (--help tells which)"));
  });

  test.each<[title: string, flags: string[], state: string]>([
    ["with a grace period", [], "active"],
    ["without one", ["--grace", "0"], "active"],
  ])("of a rotation %s prints the successor without a secret, and changes nothing", async (_, flags, state) => {
    const before = await created({ scopes: ["a"] });
    const { code, stdout, stderr } = await keyward.cli("keys", "rotate", before.id, ...flags, "--validate-only");
    const facts = new Map(factsOf(stdout) as [string, string][]);
    expect([code, stderr]).toEqual([0, UNCHANGED]);
    expect(["predecessor", "scopes", "state"].map((name) => facts.get(name))).toEqual([before.id, "a", state]);
    expect(["secret", "id", "start"].filter((name) => facts.has(name))).toEqual([]);
    expect(await get(before.id)).toEqual(before);
  });

  test("of a rotation prints nothing with -q but what it says on stderr", async () => {
    const { id } = await created();
    const rotate = await keyward.cli("keys", "rotate", id, "--validate-only", "-q");
    expect(rotate).toEqual({ code: 0, stdout: "", stderr: UNCHANGED });
  });

  test("of a rotation that would be refused is refused", async () => {
    const { id } = await created();
    await adminCall(keyward.adminSocket, "KeyService/DisableKey", { key: id });
    const message = "only an active key can be rotated; this one is disabled";
    expect(await keyward.cli("keys", "rotate", id, "--validate-only")).toEqual(refusedWith(1, message));
  });
});

describe("what is shown of a key", () => {
  test("by keys get has its rate limit, its metadata entry by entry, and whose scopes it has", async () => {
    const metadata = { team: "payments and billing", "cost/center": "42" };
    const rateLimit = { requests: 100, window: "60s" };
    const { id } = await created({ owner: "service/listed", inheritScopes: true, metadata, rateLimit });
    const { code, stdout } = await keyward.cli("keys", "get", id);
    expect(code).toBe(0);
    const facts = factsOf(stdout);
    const at = facts.findIndex(([name]) => name === "metadata");
    expect(facts.slice(at, at + 2).map(([name, value]) => [name, value])).toEqual([
      ["metadata", "team=payments and billing"],
      ["", "cost/center=42"],
    ]);
    expect(facts).toEqual(
      expect.arrayContaining([
        ["rate limit", "100/1m"],
        ["scopes", "(those of its owner)"],
      ]),
    );
  });

  test("by keys get has no line for what a key does not have", async () => {
    const { id } = await created();
    const { stdout } = await keyward.cli("keys", "get", id);
    const names = factsOf(stdout).map(([name]) => name);
    expect(["metadata", "rate limit", "scopes", "format"].filter((name) => names.includes(name))).toEqual([]);
  });

  test("by keys list says that its scopes are those of its owner", async () => {
    const owner = "service/listed";
    const [inheriting, own] = [await created({ owner, inheritScopes: true }), await created({ owner, scopes: ["a"] })];
    const { stdout } = await keyward.cli("keys", "list", "--owner", owner);
    const [head = "", ...rows] = stdout.split("\n");
    const scopesOf = (id: string) =>
      rows
        .find((row) => row.startsWith(id))
        ?.slice(head.indexOf("SCOPES"))
        .trim();
    expect([scopesOf(inheriting.id), scopesOf(own.id)]).toEqual(["(those of its owner)", "a"]);
  });
});
