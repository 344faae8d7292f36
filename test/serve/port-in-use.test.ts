import { describe, expect, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { holdAddress } from "../support/raw-listener.ts";

/** The TCP listeners: setting, flag, and what a running Keyward calls its address. */
const LISTENERS = [
  ["authz", "--listen-authz", "authz"],
  ["forward_auth", "--listen-forward-auth", "forwardAuth"],
  ["admin", "--listen-admin", "admin"],
  ["ops", "--listen-ops", "ops"],
] as const;

/** Runs `keyward serve` on free ports but for what the flags say, to the end that it has to come to. */
function serveInVain(flags: readonly string[], folder = folderForThisTest()) {
  const ports = LISTENERS.flatMap(([, flag]) => [flag, "127.0.0.1:0"]);
  return runCli(["serve", "--database", `${folder}/keyward.db`, ...ports, ...flags], { cwd: folder });
}

function inUse(setting: string, address: string): string {
  return `keyward: ${setting}: ${address} is in use by another program, perhaps another Keyward; stop it or set ${setting} to a free address\n`;
}

describe("an address that is taken", () => {
  test.each(LISTENERS)("listen.%s: a port of another program ends the start with 1", async (name, flag) => {
    const port = await holdAddress({ host: "127.0.0.1", port: 0 });
    const { code, stdout, stderr } = await serveInVain([flag, `127.0.0.1:${port}`]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: inUse(`listen.${name}`, `127.0.0.1:${port}`),
    });
  });

  test.each(LISTENERS)("listen.%s: a port of another Keyward, too", async (name, flag, property) => {
    const other = await keywardForThisTest();
    const { code, stderr } = await serveInVain([flag, other[property]]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: inUse(`listen.${name}`, other[property]) });
  });

  test("a second Keyward on the same database is refused for its local admin socket", async () => {
    const other = await keywardForThisTest();
    const { code, stderr } = await serveInVain([], other.folder);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: inUse("listen.admin_local", `unix:${other.folder}/keyward.db.admin.sock`),
    });
    expect((await other.cli("keys", "list", "-q")).code).toBe(0);
  });

  test("a refused start gives back what it had taken before", async () => {
    const folder = folderForThisTest();
    const port = await holdAddress({ host: "127.0.0.1", port: 0 });
    expect((await serveInVain(["--listen-authz", `127.0.0.1:${port}`], folder)).code).toBe(1);
    const keyward = await keywardForThisTest({ folder });
    expect((await keyward.cli("keys", "list", "-q")).code).toBe(0);
  });

  test.each([
    ["a name that nobody knows", "nobody.invalid:9000", "listen.authz: the name in nobody.invalid:9000 is not known"],
    [
      "an address of another machine",
      "192.0.2.1:9000",
      "listen.authz: 192.0.2.1:9000 is not an address of this machine",
    ],
    [
      "a socket in a folder that is not there",
      "unix:/nowhere/keyward.sock",
      "listen.authz: the directory of unix:/nowhere/keyward.sock does not exist",
    ],
  ])("%s is named with its setting", async (_, address, message) => {
    const { code, stderr } = await serveInVain(["--listen-authz", address, "--log-level", "error"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `keyward: ${message}\n` });
  });
});

describe("a port that check threads share", () => {
  test.each([
    ["one check thread", "1", LISTENERS[0]],
    ["three check threads", "3", LISTENERS[0]],
    ["one check thread", "1", LISTENERS[1]],
    ["three check threads", "3", LISTENERS[1]],
  ] as const)("is refused to a second Keyward with %s", async (_, threads, [name, flag, property]) => {
    const other = await keywardForThisTest({ flags: ["--check-threads", "3"] });
    const { code, stderr } = await serveInVain([flag, other[property], "--check-threads", threads]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: inUse(`listen.${name}`, other[property]) });
  });

  test("is refused where another program holds it", async () => {
    const port = await holdAddress({ host: "127.0.0.1", port: 0 });
    const { code, stderr } = await serveInVain(["--listen-authz", `127.0.0.1:${port}`, "--check-threads", "2"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: inUse("listen.authz", `127.0.0.1:${port}`) });
  });

  test("cannot be a Unix socket", async () => {
    const folder = folderForThisTest();
    const { code, stderr } = await serveInVain(["--listen-authz", "unix:a.sock", "--check-threads", "2"], folder);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `keyward: check_threads 2 must be 1 where listen.authz is unix:a.sock: threads share a TCP port, but not a Unix socket\n`,
    });
  });
});
