import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const COMMAND = new URL("../../src/cli/config.ts", import.meta.url).href;
const SCRIPT = `
  const { configCommand } = await import(${JSON.stringify(COMMAND)});
  await configCommand().parseAsync(process.argv.slice(1), { from: "user" });
`;

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-command-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", SCRIPT, "--", ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
  });
  return { status: child.status, stdout: child.stdout, stderr: child.stderr };
}

test("validate names the file that is valid", () => {
  writeFileSync(join(cwd, "keyward.yaml"), "mode: all\n");
  expect(run(["validate"])).toEqual({ status: 0, stdout: "keyward.yaml is valid\n", stderr: "" });
});

test("validate says when there is no file", () => {
  expect(run(["validate"])).toEqual({
    status: 0,
    stdout: "the configuration (defaults, environment and flags; no file) is valid\n",
    stderr: "",
  });
});

test.each(["validate", "print"])("%s reports all problems on stderr and exits with 2", (name) => {
  writeFileSync(join(cwd, "k.yaml"), "databse: x\ncache:\n  max_keys: 0\n");
  expect(run([name, "--config", "k.yaml", "--check-threads", "0"], { KEYWARD_LOG_LEVEL: "loud" })).toEqual({
    status: 2,
    stdout: "",
    stderr: [
      'k.yaml:1: unknown key "databse" (did you mean "database"?)',
      "k.yaml:3: cache.max_keys 0 must be >= 1 and <= 10000000",
      "--check-threads 0 must be >= 1 and <= 64",
      'KEYWARD_LOG_LEVEL "loud" must be one of trace, debug, info, warn, error',
      "",
    ].join("\n"),
  });
});

test("print writes YAML to stdout and warnings to stderr", () => {
  const { status, stdout, stderr } = run(["print", "--listen-authz", "0.0.0.0:9000"], { KEYWARD_MOD: "all" });
  expect(status).toBe(0);
  expect(stdout).toContain("  authz: 0.0.0.0:9000 # flag --listen-authz\n");
  expect(stderr.split("\n")).toEqual([
    "warning: KEYWARD_MOD is not a setting and is ignored (did you mean KEYWARD_MODE?)",
    'warning: --listen-authz "0.0.0.0:9000" is reachable from other machines without TLS',
    "",
  ]);
});

test("schema prints the schema that the package brings", () => {
  const shipped = readFileSync(new URL("../../keyward.schema.json", import.meta.url), "utf8");
  expect(run(["schema"])).toEqual({ status: 0, stdout: shipped, stderr: "" });
});
