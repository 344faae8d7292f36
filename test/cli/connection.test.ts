import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { freePorts } from "../support/ports.ts";

let keyward: Keyward;
let adminKey: string;
let url: string;
beforeAll(async () => {
  keyward = await startKeyward();
  url = `http://${keyward.admin}`;
  adminKey = (await keyward.cli("admin-keys", "create", "--name", "x", "-q")).stdout.trim();
  await keyward.cli("keys", "create", "--name", "x");
});
afterAll(() => keyward.stop());

const HINT = "is `keyward serve` running? --database, --config or --admin-url name another one";

/** Lists keys from a folder that knows nothing of the Keyward that runs. */
async function list(env: Record<string, string>, ...flags: string[]) {
  const cwd = folderForThisTest();
  const files = { key: join(cwd, "key"), wrong: join(cwd, "wrong") };
  writeFileSync(files.key, `${adminKey}\r\n`);
  writeFileSync(files.wrong, `${wrong(adminKey)}\n`);
  const named = (text: string) => text.replace("KEY_FILE", files.key).replace("WRONG_FILE", files.wrong);
  const namedEnv = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, named(value)]));
  const { code, stdout, stderr } = await runCli(["keys", "list", "-q", ...flags.map(named)], { cwd, env: namedEnv });
  return { code, keys: stdout.split("\n").length - 1, stderr };
}

function wrong(key: string): string {
  return key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
}

const FOUND = { code: 0, keys: 1, stderr: "" };
const NOT_VALID = { code: 1, keys: 0, stderr: "keyward: the admin key is not valid\n" };

describe("over the network", () => {
  test("the URL comes from the flag and the key from KEYWARD_ADMIN_KEY", async () => {
    expect(await list({ KEYWARD_ADMIN_KEY: adminKey }, "--admin-url", url)).toEqual(FOUND);
    expect(await list({ KEYWARD_ADMIN_KEY: wrong(adminKey) }, "--admin-url", url)).toEqual(NOT_VALID);
  });

  test("the URL comes from KEYWARD_ADMIN_URL and the key from the file of a flag", async () => {
    expect(await list({ KEYWARD_ADMIN_URL: url }, "--admin-key-file", "KEY_FILE")).toEqual(FOUND);
    expect(await list({ KEYWARD_ADMIN_URL: url }, "--admin-key-file", "WRONG_FILE")).toEqual(NOT_VALID);
  });

  test("the key comes from the file that KEYWARD_ADMIN_KEY_FILE names", async () => {
    expect(await list({ KEYWARD_ADMIN_URL: url, KEYWARD_ADMIN_KEY_FILE: "KEY_FILE" })).toEqual(FOUND);
    expect(await list({ KEYWARD_ADMIN_URL: url, KEYWARD_ADMIN_KEY_FILE: "WRONG_FILE" })).toEqual(NOT_VALID);
  });

  test("flags win over variables", async () => {
    const env = { KEYWARD_ADMIN_URL: "http://127.0.0.1:1", KEYWARD_ADMIN_KEY: wrong(adminKey) };
    expect(await list(env, "--admin-url", url, "--admin-key-file", "KEY_FILE")).toEqual(FOUND);
  });

  test("the key comes from ~/.config/keyward/credentials where nothing else names one", async () => {
    const cwd = folderForThisTest();
    mkdirSync(join(cwd, ".config", "keyward"), { recursive: true });
    const credentials = join(cwd, ".config", "keyward", "credentials");
    const call = () => runCli(["keys", "list", "-q", "--admin-url", url], { cwd });
    expect(await call()).toEqual({
      code: 2,
      stdout: "",
      stderr: `keyward: no admin key: ${credentials} cannot be read (ENOENT); give --admin-key-file or set KEYWARD_ADMIN_KEY\n`,
    });
    writeFileSync(credentials, adminKey);
    expect(await call()).toMatchObject({ code: 0, stderr: "" });
  });

  test("no key is sent where the local socket is used, even if one is set", async () => {
    const database = { KEYWARD_DATABASE: keyward.database };
    expect(await list({ ...database, KEYWARD_ADMIN_KEY: wrong(adminKey).slice(0, -1) })).toMatchObject({ code: 2 });
    expect(await list(database)).toEqual(FOUND);
  });

  test.each([
    ["two lines", (key: string) => `${key}\n${key}\n`],
    ["a key and more", (key: string) => `${key} # of Alice`],
    ["letters that no header can carry", (key: string) => `${key}é`],
    ["a control character", (key: string) => `${key}\u0001`],
    ["nothing", () => "\n"],
  ])("a key file with %s is refused without repeating it", async (_, contentOf) => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "key"), contentOf(adminKey));
    const answer = await runCli(["keys", "list", "--admin-url", url, "--admin-key-file", "key"], { cwd });
    const stderr = "keyward: no admin key: key must hold one, and nothing else\n";
    expect(answer).toEqual({ code: 2, stdout: "", stderr });
  });

  test.each(["ftp://127.0.0.1:7070", "127.0.0.1:7070", "admin", "http://"])("%j is no URL for it", async (bad) => {
    const stderr = `keyward: --admin-url ${bad} must be an http:// or https:// URL\n`;
    expect(await list({ KEYWARD_ADMIN_KEY: adminKey }, "--admin-url", bad)).toEqual({ code: 2, keys: 0, stderr });
  });

  test("a program that is no Keyward is a failure, without its page on the screen", async () => {
    const server = createServer((_, response) => response.writeHead(404).end("<html>not here</html>"));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const answer = await list({ KEYWARD_ADMIN_KEY: adminKey }, "--admin-url", `http://127.0.0.1:${port}`);
    expect(answer).toEqual({ code: 1, keys: 0, stderr: "keyward: HTTP 404\n" });
  });
});

describe("where no Keyward runs", () => {
  test("the message names the URL and what to do", async () => {
    const [port = 0] = await freePorts(1);
    const answer = await list({ KEYWARD_ADMIN_KEY: adminKey }, "--admin-url", `http://127.0.0.1:${port}`);
    const stderr = `keyward: no Keyward answers at http://127.0.0.1:${port} (ECONNREFUSED); ${HINT}\n`;
    expect(answer).toEqual({ code: 1, keys: 0, stderr });
  });

  test("the message names the local socket of the default database and what to do", async () => {
    const stderr = `keyward: no Keyward answers at unix:./data/keyward.db.admin.sock (ENOENT); ${HINT}\n`;
    expect(await list({})).toEqual({ code: 1, keys: 0, stderr });
  });

  test("a socket that a killed Keyward has left is told in the same way", async () => {
    const killed = await startKeyward();
    onTestFinished(() => killed.stop());
    await killed.kill();
    const { code, stderr } = await killed.cli("keys", "list");
    const message = `keyward: no Keyward answers at unix:${killed.adminSocket} (ECONNREFUSED); ${HINT}\n`;
    expect([code, stderr]).toEqual([1, message]);
  });
});

describe("over the local socket", () => {
  test.each([
    ["of the database of a flag", () => ["--database", keyward.database]],
    ["of a flag", () => ["--listen-admin-local", `unix:${keyward.adminSocket}`]],
    ["of the database of a configuration file", () => ["--config", "k.yaml"]],
  ])("%s", async (_, flags) => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "k.yaml"), `database: ${keyward.database}\n`);
    const { code, stdout } = await runCli(["keys", "list", "-q", ...flags()], { cwd });
    expect([code, stdout.split("\n").length - 1]).toEqual([0, 1]);
  });

  test("of the keyward.yaml of the working directory, whose relative path starts there", async () => {
    const cwd = folderForThisTest();
    const running = await startKeyward({ folder: cwd, config: "realm: here\n" });
    onTestFinished(() => running.stop());
    expect(await runCli(["keys", "list", "-q", "--database", "keyward.db"], { cwd })).toMatchObject({ code: 0 });
    writeFileSync(join(cwd, "keyward.yaml"), "database: keyward.db\n");
    expect(await runCli(["keys", "list", "-q"], { cwd })).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("that is off is a usage error", async () => {
    const stderr = "keyward: listen.admin_local is off; give --admin-url and an admin key\n";
    expect(await list({}, "--listen-admin-local", "off")).toEqual({ code: 2, keys: 0, stderr });
  });

  test("of a configuration that cannot be used is a usage error", async () => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "keyward.yaml"), "databse: x\n");
    const { code, stdout, stderr } = await runCli(["keys", "list"], { cwd });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe('keyward: keyward.yaml:1: unknown key "databse" (did you mean "database"?)\n');
  });
});
