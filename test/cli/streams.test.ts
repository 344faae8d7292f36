import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { local, sampleKey } from "../store/support/keys.ts";
import { cleanEnvironment, KEYWARD_MAIN } from "../support/cli.ts";
import { withStore } from "../support/direct-store.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

/** As JSON far more than a pipe holds (64 KiB), so that a reader who leaves is noticed. */
const KEYS = 1_200;

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
  withStore(keyward, (store) => {
    for (let index = 0; index < KEYS; index++) {
      const id = `key_${String(index).padStart(20, "0")}`;
      store.createKey(sampleKey(id, { id }), local, 1);
    }
  });
});
afterAll(() => keyward.stop());

/** Runs a program to its end, in a folder that knows the Keyward that runs. */
function run(program: string, args: readonly string[], env: Record<string, string> = {}, cwd = keyward.folder) {
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string; stderr: string }>();
  const options = {
    cwd,
    env: { ...cleanEnvironment(cwd), KEYWARD_DATABASE: keyward.database, ...env },
    maxBuffer: 64 * 1024 * 1024,
  };
  execFile(program, [...args], options, (error, stdout, stderr) =>
    resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
  );
  return promise;
}

const keywardArgs = (...args: string[]) => [process.execPath, KEYWARD_MAIN, ...args];

test("a list is whole, however many pages it has", async () => {
  const [program = "", ...args] = keywardArgs("keys", "list", "-q");
  const { code, stdout } = await run(program, args);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toHaveLength(KEYS + 1);
});

test("a whole list reaches a reader that is slow to begin", async () => {
  const script = '"$@" | { read -r first; cat; } | wc -l';
  const { stdout } = await run("bash", ["-c", script, "bash", ...keywardArgs("keys", "list", "-q")]);
  expect(stdout.trim()).toBe(String(KEYS - 1));
});

test.each([
  [["keys", "list", "-o", "json"], "{"],
  [["keys", "list", "-q"], "key_00000000000000000000"],
])("a reader that leaves after the first line of %j is no failure", async (args, first) => {
  const script = '"$@" | head -n 1; exit "$PIPESTATUS"';
  const answer = await run("bash", ["-c", script, "bash", ...keywardArgs(...args)]);
  expect(answer).toEqual({ code: 0, stdout: `${first}\n`, stderr: "" });
});

/** Runs a command on a terminal of its own and returns what it showed there. */
async function onTerminal(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<string> {
  const command = keywardArgs(...args)
    .map((word) => `'${word}'`)
    .join(" ");
  const { stdout } = await run(
    "script",
    ["--quiet", "--command", command, "/dev/null"],
    { TERM: "xterm", ...env },
    cwd,
  );
  return stdout;
}

const ESCAPE = "\u001b[";

test.each([
  ["the log of a program that cannot start", ["serve", "--listen-authz", "0.0.0.0:0", "--database", "folder"]],
  ["a help", ["keys", "create", "--help"]],
  ["an error", ["keys", "destroy"]],
  ["a table", ["keys", "get", "key_00000000000000000000"]],
])("on a terminal, %s has no colours under NO_COLOR", async (_, args) => {
  const cwd = folderForThisTest();
  mkdirSync(join(cwd, "folder"));
  const shown = await onTerminal(args, { NO_COLOR: "1" }, cwd);
  expect(shown).not.toBe("");
  expect(shown).not.toContain(ESCAPE);
});

test("on a terminal the log is for people, in colours where NO_COLOR is not set", async () => {
  const cwd = folderForThisTest();
  mkdirSync(join(cwd, "folder"));
  const shown = await onTerminal(["serve", "--listen-authz", "0.0.0.0:0", "--database", "folder"], {}, cwd);
  expect(shown).toContain(ESCAPE);
  expect(shown).toContain("is reachable from other machines without TLS");
  expect(shown).not.toContain('"msg"');
});
