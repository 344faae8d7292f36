import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CliResult, runCli } from "../support/cli.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";

const CONFIG = `
scopes:
  orders:write: { implies: [orders:read] }
  orders:read: {}
  billing:read: {}
routes:
  - { path: /open, access: public }
  - { path: /v1/both, scopes: [orders:read, billing:read], match: all }
  - { path: /v1/either, scopes: [billing:read, orders:read] }
  - { path: /v1/orders, methods: [GET], scopes: [orders:read] }
  - { path: "/v1/**", access: authenticated }
  - { path: /elsewhere, host: a.test, access: authenticated }
`;
const DAY_MS = 86_400_000;

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward({ config: CONFIG });
});
afterAll(() => keyward.stop());

const explain = (...flags: string[]) => keyward.cli("explain", ...flags);

/** With a text on stdin. */
function explainWith(input: string, ...flags: string[]): Promise<CliResult> {
  const env = { KEYWARD_DATABASE: keyward.database };
  return runCli(["explain", ...flags], { cwd: keyward.folder, env, input });
}

function fileOf(name: string, text: string): string {
  const path = join(keyward.folder, name);
  writeFileSync(path, text);
  return path;
}

const make = (fields: object = {}) => createKey(keyward.adminSocket, { ...fields });
const call = (method: string, body: object) => adminCall(keyward.adminSocket, method, body);

describe("the exit code is", () => {
  test.each<[string, string[], number, string]>([
    ["0 where a good key is let in", ["--path", "/v1/orders"], 0, "allowed"],
    ["3 where its scope is missing", ["--path", "/v1/both"], 3, "insufficient_scope"],
    ["3 where its path is ambiguous", ["--path", "/v1//orders"], 3, "ambiguous_path"],
    ["3 where no route matches", ["--path", "/v2/orders"], 3, "route_denied"],
    ["3 where a route asks for a host", ["--path", "/elsewhere"], 3, "ambiguous_host"],
    ["0 where the host is named", ["--path", "/elsewhere", "--host", "a.test:8443"], 0, "allowed"],
    ["3 for another method of the route", ["--path", "/v1/orders", "--method", "get"], 3, "malformed_request"],
    [
      "3 where Envoy's route asks for more",
      ["--path", "/v1/orders", "--extension", "keyward.scopes=x"],
      3,
      "insufficient_scope",
    ],
    ["3 where it is misspelt", ["--path", "/v1/orders", "--extension", "keyward.scope=x"], 3, "misconfigured_route"],
    ["3 after the key's end", ["--path", "/v1/orders", "--at", "9999-12-31T23:59:59Z"], 3, "key_expired"],
    ["0 for a time far in the past", ["--path", "/v1/orders", "--at", "1970-01-01T00:00:00Z"], 0, "allowed"],
  ])("%s", async (_, flags, code, reason) => {
    const { id } = await make({ scopes: ["orders:read"], expiresIn: "86400s" });
    expect(await explain("--key-id", id, ...flags, "-q")).toMatchObject({ code, stdout: `${reason}\n`, stderr: "" });
  });

  test.each<[string, string[], number, string]>([
    ["0 on a public route without a key", ["--path", "/open"], 0, "public"],
    ["3 on another without a key", ["--path", "/Open"], 3, "route_denied"],
    ["3 where a key is asked for", ["--path", "/v1/x"], 3, "no_credential"],
  ])("%s", async (_, flags, code, reason) => {
    expect(await explain(...flags, "-q")).toEqual({ code, stdout: `${reason}\n`, stderr: "" });
  });

  test("1 where no key answers to the name", async () => {
    const answer = await explain("--key-id", "key_nobody", "--path", "/v1/x");
    expect(answer).toEqual({ code: 1, stdout: "", stderr: "keyward: no key answers to that name\n" });
  });

  test.each<[string, string[], string]>([
    ["without a path", [], "--path is needed: the path of the request"],
    ["for two keys", ["--key", "-", "--key-id", "x", "--path", "/"], "--key and --key-id name a key each; give one"],
    [
      "for an empty name",
      ["--key-id", "", "--path", "/"],
      "--key-id must not be empty; leave it out where no key is presented",
    ],
    [
      "for an address that is none",
      ["--path", "/", "--ip", "10.0.0.256"],
      '"10.0.0.256" must be an IPv4 or IPv6 address',
    ],
    ["for a time that is none", ["--path", "/", "--at", "yesterday"], "--at yesterday must be a time such as"],
    ["for a time before 1970", ["--path", "/", "--at", "1969-12-31T23:59:59Z"], "at must be from 1970 to 9999"],
    ["for a header without a name", ["--path", "/", "--header", ": x"], "--header : x must be NAME:VALUE"],
    [
      "for a header that holds a key",
      ["--path", "/", "--header", `x-api-key: ${secretOf("in the arguments")}`],
      "--header must not hold a key; give that as --key - or --key @FILE",
    ],
    ["for an extension without a value", ["--path", "/", "--extension", "x"], "--extension x must be NAME=VALUE"],
  ])("2 %s", async (_, flags, message) => {
    const { code, stdout, stderr } = await explain(...flags);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});

test("a header that does not count is told", async () => {
  const { id } = await make();
  const { code, stderr } = await explain("--key-id", id, "--path", "/v1/x", "--header", "X-Forwarded-For: 192.0.2.1");
  const note = "note: the header x-forwarded-for does not count, since client_address.trusted_hops is 0\n";
  expect([code, stderr]).toEqual([0, note]);
});

describe("a secret", () => {
  test("is read from stdin or a file, and stands nowhere in the answer", async () => {
    const { secret, id } = await make({ scopes: ["orders:read"] });
    const file = fileOf("key", `\n${secret}\r\n`);
    const answers = [
      await explainWith(secret, "--key", "-", "--path", "/v1/orders"),
      await explainWith(`${secret}\n`, "--key", "-", "--path", "/v1/both", "-o", "json"),
      await explain("--key", `@${file}`, "--path", "/v1/orders", "-o", "yaml"),
    ];
    expect(answers.map(({ code }) => code)).toEqual([0, 3, 0]);
    for (const { stdout, stderr } of answers) {
      expect(stdout).toContain(id);
      expect(stdout + stderr).not.toContain(secret.slice(3, 13));
    }
    expect(keyward.log()).not.toContain(secret.slice(3, 13));
  });

  test.each<[string, (secret: string) => string, string]>([
    ["that nobody has", () => secretOf("nobody's"), "unknown_key"],
    ["that is mistyped", (secret) => secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0"), "malformed_credential"],
    ["that is cut", (secret) => secret.slice(0, -1), "malformed_credential"],
    ["that is only its start", (secret) => secret.slice(0, 11), "malformed_credential"],
    ["that is whole", (secret) => secret, "allowed"],
  ])("%s is explained as what the data plane makes of it", async (_, presented, reason) => {
    const text = presented((await make({ scopes: ["orders:read"] })).secret);
    const { stdout, stderr } = await explainWith(text, "--key", "-", "--path", "/v1/orders", "-q");
    expect([stdout, stderr]).toEqual([`${reason}\n`, ""]);
  });

  test.each([["--key"], ["--key-id"]])("in the argument list is refused and not repeated: %s", async (flag) => {
    const { secret } = await make();
    const { code, stdout, stderr } = await explain(flag, secret, "--path", "/v1/x");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^keyward: --key(-id)? /);
    expect(stderr).not.toContain(secret.slice(3, 13));
  });

  test.each<[string, () => string, string]>([
    ["from a file that is not there", () => "@nowhere", "--key: nowhere cannot be read (ENOENT)"],
    ["from an empty file", () => `@${fileOf("empty", " \n")}`, "holds no key"],
    [
      "from a file that is too long",
      () => `@${fileOf("long", "k".repeat(100_000))}`,
      "holds more than 9216 characters",
    ],
    ["from a folder", () => `@${keyward.folder}`, "cannot be read (EISDIR)"],
    ["from an empty stdin", () => "-", "--key: stdin holds no key"],
  ])("%s is a mistake of the caller", async (_, from, message) => {
    const { code, stdout, stderr } = await explain("--key", from(), "--path", "/v1/x");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});

test("the table marks the step that decides, and shows all that stands against the key", async () => {
  const { id } = await make({ scopes: ["billing:read"], methods: ["PUT"] });
  const { stdout, code } = await explain("--key-id", id, "--path", "/v1/orders");
  expect(code).toBe(3);
  const lines = stdout.split("\n");
  expect(lines.filter((line) => line.startsWith("->")).map((line) => line.split(/ {2,}/))).toEqual([
    ["->", "no", "with this method", "one of PUT", "GET"],
  ]);
  expect(lines.filter((line) => /^ +no /.test(line)).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["no", "scopes", "orders:read", "billing:read"],
  ]);
  expect(lines.slice(lines.indexOf("denied: method_not_allowed (HTTP 403)"))).toEqual([
    "denied: method_not_allowed (HTTP 403)",
    "  The key does not open with GET.",
    "  The key does not grant orders:read.",
    "what would change it:",
    `  keyward keys update ${id} --method PUT,GET`,
    `  add the scope orders:read: keyward keys update ${id} --scopes billing:read,orders:read`,
    "",
  ]);
});

test("a time before the key was made is noted", async () => {
  const { id } = await make();
  const { stderr } = await explain("--key-id", id, "--path", "/v1/x", "--at", "2001-01-01T00:00:00Z");
  expect(stderr).toMatch(/^note: the key was made on \d{4}-.*Z, after the moment that is asked about\n$/);
  expect((await explain("--key-id", id, "--path", "/v1/x")).stderr).toBe("");
});

test("what a client sent moves no cursor", async () => {
  const { stdout } = await explain("--path", "/v1/\u001b[2J\u009b\u202e'$(x)");
  expect(stdout).toContain("/v1/\\u001b[2J\\u009b\\u202e'$(x)");
  expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
});

describe("the change that is named makes the request pass:", () => {
  const owned = async (owner: string, scopes: string[], key: object) => {
    await call("OwnerService/CreateOwner", { owner, scopes });
    return make({ owner, ...key });
  };
  test.each<[reason: string, key: () => Promise<{ id: string }>, flags: string[]]>([
    [
      "key_disabled",
      async () => {
        const key = await make({ scopes: ["orders:read"] });
        await call("KeyService/DisableKey", { key: key.id });
        return key;
      },
      [],
    ],
    [
      "owner_disabled",
      async () => {
        const key = await owned("user/off", ["orders:read"], { scopes: ["orders:read"] });
        await call("OwnerService/UpdateOwner", { owner: "user/off", updateMask: "disabled", disabled: true });
        return key;
      },
      [],
    ],
    [
      "key_expired",
      async () => {
        const key = await make({ scopes: ["orders:read"] });
        const expiresAt = new Date(Date.now() - DAY_MS);
        await call("KeyService/UpdateKey", { key: key.id, updateMask: "expiresAt", expiresAt });
        return key;
      },
      [],
    ],
    ["key_not_yet_valid", () => make({ scopes: ["orders:read"], notBefore: new Date(Date.now() + DAY_MS) }), []],
    ["address_not_allowed", () => make({ scopes: ["orders:read"], cidrs: ["10.0.0.0/8"] }), ["--ip", "192.0.2.1"]],
    ["method_not_allowed", () => make({ scopes: ["orders:read"], methods: ["HEAD"] }), []],
    ["path_not_allowed", () => make({ paths: ["/v1/x"] }), ["--path", "/v1/it's-$(x)"]],
    ["insufficient_scope", () => make({ scopes: ["billing:read"] }), []],
    ["insufficient_scope", () => make(), ["--path", "/v1/both"]],
    ["insufficient_scope", () => make({ scopes: ["orders:write"] }), ["--path", "/v1/both"]],
    ["insufficient_scope", () => make(), ["--path", "/v1/either"]],
    ["insufficient_scope", () => owned("user/cut", ["billing:read"], { scopes: ["orders:read"] }), []],
    ["insufficient_scope", () => owned("user/poor", ["billing:read"], { inheritScopes: true }), []],
    ["insufficient_scope", () => owned("user/both", [], { scopes: ["billing:read"] }), ["--path", "/v1/both"]],
  ])("%s %#", async (reason, makeKey, flags) => {
    const { id } = await makeKey();
    const ask = () => explain("--key-id", id, "--path", "/v1/orders", ...flags, "-o", "json");
    const refused = JSON.parse((await ask()).stdout) as { reason: string; changes: string[] };
    expect(refused).toMatchObject({ reason, changes: [expect.any(String)] });
    for (const command of commandsIn(refused.changes[0] ?? "")) {
      expect(await keyward.cli(...command)).toMatchObject({ code: 0 });
    }
    expect(JSON.parse((await ask()).stdout)).toMatchObject({ allowed: true, reason: "allowed" });
  });

  /** The command lines in a sentence, each as the words that a shell makes of it. */
  function commandsIn(change: string): string[][] {
    const [, ...commands] = change.split(/keyward (?=keys|owners)/);
    return commands.map((text) => {
      const words = text.replace(/ and $/, "").matchAll(/((?:[^\s'\\]|\\.|'[^']*')+)/g);
      return [...words].map(([word]) => word.replaceAll(/'([^']*)'|\\(.)/g, "$1$2"));
    });
  }
});
