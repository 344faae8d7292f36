import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { shippedEnvoyConfig } from "../../../demo/envoy-config.ts";
import { createKey } from "../../support/admin-call.ts";
import { runCli } from "../../support/cli.ts";
import { encryptionKeyOf, SIGNING_ENV } from "../../support/encryption-keys.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { folderForThisTest, keywardForThisTest } from "../../support/for-this-test.ts";
import type { KeywardOptions } from "../../support/keyward.ts";
import { freePorts } from "../../support/ports.ts";

interface Found {
  state: string;
  subject: string;
  message: string;
  advice: string;
}

/** A Keyward at known ports, and doctor with the same flags. */
async function examined(options: KeywardOptions = {}) {
  const ports = await freePorts(4);
  const listen = ["authz", "admin", "ops", "forward-auth"].flatMap((name, index) => [
    `--listen-${name}`,
    `127.0.0.1:${ports[index]}`,
  ]);
  const keyward = await keywardForThisTest({ ...options, flags: [...listen, ...(options.flags ?? [])] });
  const flags = ["--database", keyward.database, ...listen];
  const doctor = async (...more: string[]) => {
    const { code, stdout, stderr } = await runCli(["doctor", ...flags, "-o", "json", ...more], { cwd: keyward.folder });
    if (stderr !== "") throw new Error(stderr);
    const found = JSON.parse(stdout) as Found[];
    return { code, found, bad: found.filter(({ state }) => state !== "ok") };
  };
  return { keyward, doctor, flags };
}

describe("doctor", () => {
  test("finds nothing to mend beside a Keyward and an Envoy as they are shipped", async () => {
    const { keyward, doctor, flags } = await examined();
    await createKey(keyward.adminSocket);
    const config = await shippedEnvoyConfig({ keyward: Number(keyward.authz.split(":")[1]), upstream: 1 });
    const envoy = await startEnvoy({ config });
    onTestFinished(envoy.stop);
    const admin = `http://127.0.0.1:${envoy.adminPort}`;
    const { code, found, bad } = await doctor("--envoy-admin", admin);
    expect([code, bad]).toEqual([0, []]);
    expect(found.map(({ subject }) => subject)).toEqual([
      ...["configuration", "permissions", "wal", "disk", "database", "clock", "encryption key", "listen.authz"],
      ...["listen.forward_auth", "listen.admin", "listen.admin_local", "listen.ops", "envoy ingress", "clock"],
    ]);
    expect(found.find(({ subject }) => subject === "database")?.message).toContain("1 keys");
    const { stdout } = await runCli(["doctor", ...flags, "--envoy-admin", admin], { cwd: keyward.folder });
    expect(stdout).toContain("0 to mend, 0 to look at, 14 fine\n");
  });

  test("names each listener at which nobody answers", async () => {
    const { keyward, doctor } = await examined();
    await keyward.kill();
    const { code, bad } = await doctor();
    expect(code).toBe(1);
    const silent = bad.filter(({ subject }) => subject.startsWith("listen."));
    expect(silent.map(({ state, subject }) => [state, subject])).toEqual(
      ["authz", "forward_auth", "admin", "admin_local", "ops"].map((name) => ["fail", `listen.${name}`]),
    );
    expect(silent[0]?.advice).toBe("Is `keyward serve` running, with this configuration?");
  });

  test("tells what a file that others can read is, and a clock that is behind", async () => {
    const { keyward, doctor } = await examined();
    await createKey(keyward.adminSocket);
    chmodSync(keyward.database, 0o640);
    const db = new Database(keyward.database);
    db.prepare("UPDATE audit SET at_ms = at_ms + 3600000").run();
    db.close();
    const { code, bad } = await doctor();
    expect(code).toBe(1);
    expect(bad.map(({ state, subject, advice }) => [state, subject, advice])).toEqual([
      ["fail", "permissions", `chmod 600 ${keyward.database}`],
      ["fail", "clock", "Set the clock, by NTP: expiry of keys is judged by it."],
    ]);
    expect(bad[0]?.message).toContain("has mode 0640");
  });

  test("tells whether the encryption key opens the signing keys", async () => {
    const { keyward, doctor } = await examined({ env: SIGNING_ENV });
    await createKey(keyward.adminSocket, { format: "KEY_FORMAT_JWT", expiresIn: "3600s" });
    const file = (name: string, text: string) => {
      const path = join(keyward.folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return ["--encryption-key-file", path];
    };
    const of = async (...flags: string[]) => {
      const { code, found } = await doctor(...flags);
      const { state, message } = found.find(({ subject }) => subject === "encryption key") ?? {};
      return [code, state, message];
    };
    expect(await of()).toEqual([1, "fail", "there are signing keys, and no key that opens them"]);
    expect(await of(...file("right", encryptionKeyOf("test")))).toEqual([0, "ok", "opens all of 1 signing keys"]);
    expect(await of(...file("wrong", encryptionKeyOf("another")))).toEqual([
      1,
      "fail",
      expect.stringMatching(/^does not open .* kwsk_/),
    ]);
  });
});

const inFolder = async (folder: string, ...args: string[]) => runCli(["doctor", ...args], { cwd: folder });

describe("without a Keyward, doctor", () => {
  const off = ["admin-local", "ops", "forward-auth"].flatMap((name) => [`--listen-${name}`, "off"]);

  test("takes a database that is not there yet for no fault", async () => {
    const folder = folderForThisTest();
    const { code, stdout } = await inFolder(
      folder,
      "-o",
      "json",
      "--database",
      "k.db",
      ...off,
      "--mode",
      "authz",
      "--listen-authz",
      "127.0.0.1:0",
    );
    expect([code, (JSON.parse(stdout) as Found[]).map(({ state, subject }) => [state, subject])]).toEqual([
      0,
      [
        ["ok", "configuration"],
        ["warn", "database"],
        ["warn", "listen.authz"],
      ],
    ]);
  });

  test.each([
    ["foreign", "not a database, and long enough to be one".repeat(20)],
    ["empty", ""],
  ])("refuses a %s file as a database", async (_, text) => {
    const folder = folderForThisTest();
    writeFileSync(join(folder, "k.db"), text, { mode: 0o600 });
    const { code, stdout } = await inFolder(folder, "-o", "json", "--database", "k.db");
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as Found[]).find(({ subject }) => subject === "database")).toMatchObject({
      state: "fail",
      message: expect.stringContaining("k.db"),
    });
  });

  test("tells every problem of a configuration", async () => {
    const folder = folderForThisTest();
    writeFileSync(join(folder, "keyward.yaml"), "check_threads: 0\ncache: { max_keys: 0 }\n");
    const { code, stdout } = await inFolder(folder);
    expect(code).toBe(1);
    expect(stdout.match(/^fail {2}configuration {2}/gm)).toHaveLength(2);
    expect(stdout).toContain("2 to mend, 0 to look at, 0 fine");
  });

  test("tells an Envoy that does not answer, and refuses what is no URL", async () => {
    const [port] = await freePorts(1);
    const folder = folderForThisTest();
    const { code, stdout } = await inFolder(folder, "--envoy-admin", `http://127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(stdout).toContain("tells no configuration: connect ECONNREFUSED");
    expect(await inFolder(folder, "--envoy-admin", "localhost:9901")).toMatchObject({
      code: 2,
      stderr: "keyward: --envoy-admin localhost:9901 must be an http:// or https:// URL\n",
    });
  });
});
