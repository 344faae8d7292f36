import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { makeLargeStore } from "../store/support/large-store.ts";
import { startChild } from "../support/child.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { logged } from "../support/logged.ts";
import { type Installed, installPackage } from "./support/installed.ts";

let place: string;
let installed: Installed;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "keyward-package-"));
  installed = await installPackage(place);
}, 300_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const bin = () => join(installed.folder, "node_modules", "keyward", "bin", "keyward.js");

describe("the tarball", () => {
  test.each([
    "package.json",
    "README.md",
    "CHANGELOG.md",
    "keyward.schema.json",
    "LICENSE",
    "bin/keyward.js",
    "dist/main.js",
    "dist/serve/examiner.js",
    "dist/serve/threads/check-thread.js",
    "dist/serve/threads/writer-thread.js",
    "proto/keyward/admin/v1/key_service.proto",
  ])("holds %s", (path) => {
    expect(installed.packed).toContain(path);
  });

  test("holds nothing else but what was built, the protos and the launcher", () => {
    const expected =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|keyward\.schema\.json|bin\/keyward\.js|dist\/.+\.js|proto\/.+\.proto)$/;
    expect(installed.packed.filter((path) => !expected.test(path))).toEqual([]);
  });

  test("holds no Envoy types, which serve the tests alone", () => {
    expect(installed.packed.filter((path) => /^dist\/gen\/(envoy|xds)/.test(path))).toEqual([]);
  });
});

describe("installed in an empty folder", () => {
  test.each([
    "typescript",
    "node",
    "vitest",
    "@biomejs",
    "@bufbuild/buf",
    "@bufbuild/protoc-gen-es",
    "@grpc/grpc-js-xds",
  ])("it brings no %s", (name) => {
    expect(statSync(join(installed.folder, "node_modules", name), { throwIfNoEntry: false })).toBe(undefined);
  });

  test("it brings one command and nothing of TypeScript, buf or Envoy", () => {
    const commands = readdirSync(join(installed.folder, "node_modules", ".bin"));
    expect(commands).toContain("keyward");
    expect(commands.filter((name) => /^(tsc|buf|envoy|node)/.test(name))).toEqual([]);
  });

  test("its launcher may be executed", () => {
    expect(statSync(bin()).mode & 0o111).toBe(0o111);
  });

  test("it serves, and a key made with no setting at all is accepted on the data plane", async () => {
    const { folder, env } = installed;
    const ports = ["AUTHZ", "FORWARD_AUTH", "ADMIN", "OPS"].map((name) => [`KEYWARD_LISTEN_${name}`, "127.0.0.1:0"]);
    const keyward = await startChild({
      name: "npx keyward",
      // A session of its own, as at a terminal: npx passes on no signal, so all that it started is ended together.
      command: "setsid",
      args: ["npx", "keyward", "serve"],
      cwd: folder,
      env: { ...env, ...Object.fromEntries(ports), KEYWARD_SHUTDOWN_DELAY: "0" },
      ready: async ({ stderr }) => stderr().includes('"msg":"serving"'),
    });
    const stop = async () => {
      process.kill(-keyward.pid, "SIGTERM");
      await keyward.ended;
    };
    let stopped = false;
    onTestFinished(() => (stopped ? undefined : stop()));
    const serving = keyward
      .stderr()
      .split("\n")
      .find((line) => line.includes('"msg":"serving"'));
    const { authz } = JSON.parse(serving ?? "{}") as { authz: string };

    const create = ["keyward", "keys", "create", "--name", "ci", "--scopes", "api:read", "-q"];
    const { stdout } = await promisify(execFile)("npx", create, { cwd: folder, env });
    const secret = stdout.trim();
    expect(secret).toMatch(/^kw_[0-9A-Za-z]{49}$/);

    const client = checkClientForThisTest(authz);
    expect(await client.present(secret)).toMatchObject({
      code: 0,
      answer: "ok",
      headers: { "x-keyward-scopes": "api:read" },
    });
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    expect(await client.present(mistyped)).toMatchObject({ code: 16, status: 401, reason: "malformed_credential" });

    await stop();
    stopped = true;
    expect(keyward.stderr()).toContain('"msg":"stopped"');
  });
});

test("installed, it reads a large database through while it serves it", async () => {
  const folder = folderForThisTest();
  makeLargeStore(join(folder, "keyward.db"));
  const keyward = await keywardForThisTest({ folder, command: [process.execPath, bin()] });
  await logged(keyward, "the database was read through and is whole");
});

describe("the launcher", () => {
  /** Runs the launcher on this Node under the version of another. */
  function runAs(version: string) {
    const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
    const disguise = `data:text/javascript,Object.defineProperty(process, "versions", { value: ${versions} })`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", disguise, bin(), "--version"], {
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  const tooOld = (version: string) => ({
    status: 1,
    stdout: "",
    stderr: `keyward needs Node.js 24.14.1 or later; this is ${version}. Install a newer one.\n`,
  });

  test.each(["24.14.1", "24.15.0", "25.0.0", "100.0.0"])("starts the program on Node %s", (version) => {
    expect(runAs(version)).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  test.each(["24.14.0", "24.9.9", "23.99.99", "20.20.2", "9.0.0"])("says one sentence on Node %s", (version) => {
    expect(runAs(version)).toEqual(tooOld(version));
  });

  test("says it on the other Node of this machine where that is too old, and in disguise where it is not", () => {
    const { node, version } = nodeOutsideModules();
    const isOld = version !== undefined && Number(version.split(".")[0]) < 24;
    const answer = isOld ? spawnSync(node, [bin(), "--version"], { encoding: "utf8" }) : runAs("20.0.0");
    const { status, stdout, stderr } = answer;
    expect({ status, stdout, stderr }).toEqual(tooOld(isOld ? version : "20.0.0"));
  });

  /** The first Node of the search path that is none of this package's dependencies. */
  function nodeOutsideModules(): { node: string; version?: string } {
    const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
    for (const folder of folders) {
      const node = join(folder, "node");
      const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
      if (status === 0) return { node, version: stdout.trim().slice(1) };
    }
    return { node: "" };
  }
});
