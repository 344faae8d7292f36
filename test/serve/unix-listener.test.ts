import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { runCli } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { holdAddress } from "../support/raw-listener.ts";

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8);
}

async function serveInVain(folder: string, path: string) {
  const others = [
    "--listen-forward-auth",
    "off",
    "--listen-admin",
    "off",
    "--listen-ops",
    "off",
    "--log-level",
    "error",
  ];
  const { code, stderr } = await runCli(["serve", "--listen-authz", `unix:${path}`, ...others], { cwd: folder });
  return { code, stderr };
}

describe("a data plane on a Unix socket", () => {
  test("answers checks there, for owner and group", async () => {
    const path = join(folderForThisTest(), "authz.sock");
    const keyward = await keywardForThisTest({ flags: ["--listen-authz", `unix:${path}`] });
    const { secret } = await createKey(keyward.adminSocket);
    expect((await checkClientForThisTest(`unix:${path}`).present(secret)).reason).toBe("allowed");
    expect(modeOf(path)).toBe("660");
  });

  test("leaves no socket behind when it stops", async () => {
    const path = join(folderForThisTest(), "authz.sock");
    const keyward = await keywardForThisTest({ flags: ["--listen-authz", `unix:${path}`] });
    expect(existsSync(path)).toBe(true);
    await keyward.stop();
    expect(existsSync(path)).toBe(false);
  });

  test("takes over the socket of one that was killed", async () => {
    const folder = folderForThisTest();
    const path = join(folder, "authz.sock");
    const flags = ["--listen-authz", `unix:${path}`];
    const killed = await keywardForThisTest({ folder, flags });
    await killed.kill();
    expect(lstatSync(path).isSocket()).toBe(true);
    const keyward = await keywardForThisTest({ folder, flags });
    expect(await checkClientForThisTest(`unix:${path}`).health()).toBe("SERVING");
    expect(await keyward.cli("keys", "list", "-q")).toMatchObject({ code: 0 });
  });

  test("does not take over a socket that somebody answers", async () => {
    const folder = folderForThisTest();
    const path = join(folder, "authz.sock");
    await holdAddress({ path });
    expect(await serveInVain(folder, path)).toEqual({
      code: 1,
      stderr: `keyward: listen.authz: unix:${path} is in use by another program, perhaps another Keyward; stop it or set listen.authz to a free address\n`,
    });
    expect(lstatSync(path).isSocket()).toBe(true);
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, "precious")],
    ["a directory", (path: string) => mkdirSync(path)],
    ["a dangling link", (path: string) => symlinkSync("nowhere", path)],
  ])("does not take the place of %s", async (_, make) => {
    const folder = folderForThisTest();
    const path = join(folder, "authz.sock");
    make(path);
    const before = lstatSync(path).ino;
    expect(await serveInVain(folder, path)).toEqual({
      code: 1,
      stderr: `keyward: listen.authz: ${path} is there and is not a socket; move it away or choose another path\n`,
    });
    expect(lstatSync(path).ino).toBe(before);
  });

  test("a path of 107 bytes is taken, one of 108 is a configuration error", async () => {
    const folder = folderForThisTest();
    const path = join(folder, "s").padEnd(107, "x");
    const keyward = await keywardForThisTest({ flags: ["--listen-authz", `unix:${path}`] });
    expect(keyward.authz).toBe(`unix:${path}`);
    expect(await checkClientForThisTest(`unix:${path}`).health()).toBe("SERVING");
    const { code, stderr } = await serveInVain(folder, `${path}x`);
    expect(code).toBe(2);
    expect(stderr).toContain("must be a path of at most 107 bytes, this one has 108");
  });
});

describe("the local admin socket", () => {
  test("opens for its owner only, even where the caller's mask would allow more", async () => {
    const keyward = await keywardForThisTest();
    expect(modeOf(keyward.adminSocket)).toBe("600");
  });

  // Only root can become somebody else; the mode above is what everybody can see.
  test.runIf(process.getuid?.() === 0)("refuses another user", async () => {
    const keyward = await keywardForThisTest();
    chmodSync(keyward.folder, 0o755);
    const script = `require("net").connect(${JSON.stringify(keyward.adminSocket)}).on("error", (e) => console.log(e.code)).on("connect", () => { console.log("connected"); process.exit() })`;
    const [program = "", ...args] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const { stdout } = spawnSync(program, [...args, process.execPath, "-e", script], { encoding: "utf8" });
    expect(stdout.trim()).toBe("EACCES");
  });

  test("files beside it are the owner's only", async () => {
    const keyward = await keywardForThisTest();
    await createKey(keyward.adminSocket);
    const files = ["", "-wal", "-shm"].map((ending) => keyward.database + ending);
    expect(files.map(modeOf)).toEqual(["600", "600", "600"]);
    expect(readFileSync(keyward.database).subarray(0, 15).toString()).toBe("SQLite format 3");
  });
});
