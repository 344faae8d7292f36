import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

const ANY_PORT = ["authz", "forward-auth", "admin", "ops"].flatMap((name) => [`--listen-${name}`, "127.0.0.1:0"]);

test.each(["SIGTERM", "SIGINT"] as const)("serve ends with exit code 0 at %s", async (signal) => {
  const keyward = await keywardForThisTest();
  process.kill(keyward.pid, signal);
  expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
  const last = keyward.log().trim().split("\n").at(-1) ?? "";
  expect(JSON.parse(last)).toMatchObject({ level: "info", msg: "stopped" });
});

test("serve logs to stderr and prints nothing on stdout", async () => {
  const keyward = await keywardForThisTest();
  expect(keyward.stdout()).toBe("");
  expect(JSON.parse(keyward.log().split("\n")[0] ?? "")).toMatchObject({ level: "info", msg: "serving" });
});

test("everything that serve creates is its user's alone", async () => {
  const { folder, database } = await keywardForThisTest({ flags: ["--database", "new/deep/k.db"] });
  const modes = ["new", "new/deep"].map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes).toEqual([0o700, 0o700]);
  const files = ["", "-wal", "-shm", ".admin.sock"].map((end) => statSync(database + end).mode & 0o777);
  expect(files).toEqual([0o600, 0o600, 0o600, 0o600]);
});

describe("serve that cannot start", () => {
  test("for its configuration exits with 2 and says value and bound", async () => {
    const answer = await runCli(["serve", "--check-threads", "0"], { cwd: folderForThisTest() });
    expect(answer).toEqual({ code: 2, stdout: "", stderr: "keyward: --check-threads 0 must be >= 1 and <= 64\n" });
  });

  test("for its surroundings exits with 1 and says so in one sentence, without a stack", async () => {
    const cwd = folderForThisTest();
    mkdirSync(join(cwd, "keyward.db"));
    const answer = await runCli(["serve", "--database", "keyward.db", ...ANY_PORT], { cwd });
    expect([answer.code, answer.stdout]).toEqual([1, ""]);
    expect(answer.stderr).toMatch(/^keyward: .*keyward\.db.*\n$/);
  });
});
