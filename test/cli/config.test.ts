import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ADMIN_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { runCli } from "../support/cli.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

const ADMIN_KEY = writeSecret(ADMIN_PREFIX, crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));

const BROKEN = "databse: x\n";
const COMPLAINT = 'keyward.yaml:1: unknown key "databse" (did you mean "database"?)';

function folderWith(config: string): string {
  const cwd = folderForThisTest();
  writeFileSync(join(cwd, "keyward.yaml"), config);
  return cwd;
}

test("config validate exits with 0 for a file that is valid, and creates nothing", async () => {
  const cwd = folderWith("database: ./k.db\n");
  expect(await runCli(["config", "validate"], { cwd })).toEqual({
    code: 0,
    stdout: "keyward.yaml is valid\n",
    stderr: "",
  });
  expect(existsSync(join(cwd, "k.db"))).toBe(false);
});

test.each([
  ["config validate", `${COMPLAINT}\n`],
  ["config print", `${COMPLAINT}\n`],
  ["serve", `keyward: ${COMPLAINT}\n`],
  ["keys list", `keyward: ${COMPLAINT}\n`],
])("keyward %s exits with 2 for a file that is not, and names file, line and key", async (command, stderr) => {
  const cwd = folderWith(BROKEN);
  expect(await runCli(command.split(" "), { cwd })).toEqual({ code: 2, stdout: "", stderr });
  expect(existsSync(join(cwd, "data"))).toBe(false);
});

test("config print gives what flags, variables, the file and defaults come to, as YAML", async () => {
  const cwd = folderWith("realm: file\ncheck_threads: 2\ncache: { max_keys: 5 }\n");
  const env = { KEYWARD_CHECK_THREADS: "3", KEYWARD_CACHE_MAX_KEYS: "6" };
  const { code, stdout, stderr } = await runCli(["config", "print", "--cache-max-keys", "7"], { cwd, env });
  expect([code, stderr]).toEqual([0, ""]);
  expect(parse(stdout)).toMatchObject({ realm: "file", check_threads: 3, cache: { max_keys: 7 }, mode: "all" });
});

test.each([
  ["KEYWARD_ADMIN_KEY", () => ({ KEYWARD_ADMIN_KEY: ADMIN_KEY })],
  ["KEYWARD_ADMIN_KEY_FILE", () => ({ KEYWARD_ADMIN_KEY_FILE: "key" })],
])("config print says that %s is set, and not to what", async (name, envOf) => {
  const cwd = folderForThisTest();
  writeFileSync(join(cwd, "key"), `${ADMIN_KEY}\n`);
  const { code, stdout, stderr } = await runCli(["config", "print"], { cwd, env: envOf() });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(new RegExp(`^# admin_key: <redacted> \\(env ${name}\\)$`, "m"));
  expect(stdout).not.toContain(ADMIN_KEY.slice(0, 16));
});
