import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { flagOf, SETTING_KEYS } from "../../src/config/settings.ts";
import { runCli } from "../support/cli.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

const run = (...args: string[]) => runCli(args, { cwd: folderForThisTest() });

const CONNECTION = [
  "--admin-url",
  "--admin-key-file",
  "--admin-ca",
  "--admin-cert",
  "--admin-cert-key",
  "--database",
  "--listen-admin-local",
  "--config",
];
const OUTPUT = ["-o, --output", "-q, --quiet"];
const CALL = [...CONNECTION, ...OUTPUT];
const SETTINGS = ["--config", ...SETTING_KEYS.map((key) => `--${flagOf(key)}`)];

/** Each command, with what its help has to mention. */
const COMMANDS: readonly (readonly [command: string, mentioned: readonly string[]])[] = [
  [
    "",
    [
      "serve",
      "keys",
      "owners",
      "admin-keys",
      "signing-keys",
      "explain",
      "audit",
      "doctor",
      "config",
      "completion",
      "-V, --version",
      "Exit codes: 0 ok, 1 failure, 2 usage",
    ],
  ],
  ["serve", [...SETTINGS, "SIGTERM"]],
  ["doctor", [...SETTINGS, "--envoy-admin", "-o, --output", "Exit codes: 0 nothing to mend", "Example:"]],
  ["keys", ["create", "get", "list", "update", "rotate", "disable", "enable", "revoke"]],
  [
    "keys create",
    [
      ...["--name", "--owner", "--tenant", "--note", "--metadata", "--scopes", "--inherit-scopes", "--path"],
      ...["--method", "--cidr", "--expires-in", "--not-before", "--rate-limit", "--prefix", "--request-id"],
      ...["--format", "--alg", "--validate-only", "Example:"],
      ...CALL,
    ],
  ],
  ["keys get", ["<key>", ...CALL]],
  ["keys list", ["--owner", "--tenant", "--state", "--unused-for", "Example:", ...CALL]],
  [
    "keys update",
    [
      ...["<key>", "--name", "--note", "--metadata", "--scopes", "--inherit-scopes", "--path", "--method", "--cidr"],
      ...["--expires-in", "--not-before", "--rate-limit", "--etag", "--validate-only", "Example:", ...CALL],
    ],
  ],
  [
    "keys rotate",
    [
      "<key>",
      "--grace",
      "--until-quiet",
      "--at-most",
      "--expires-in",
      "--request-id",
      "--validate-only",
      "Examples:",
      ...CALL,
    ],
  ],
  ["keys disable", ["<key>", ...CALL]],
  ["keys enable", ["<key>", ...CALL]],
  ["keys revoke", ["<key>", "--reason", ...CALL]],
  ["owners", ["create", "get", "list", "update", "disable", "enable", "delete"]],
  ["owners create", ["<owner>", "--tenant", "--display-name", "--scopes", "Example:", ...CALL]],
  ["owners get", ["<owner>", "--tenant", "Example:", ...CALL]],
  ["owners list", ["--tenant", "Example:", ...CALL]],
  [
    "owners update",
    ["<owner>", "--tenant", "--display-name", "--scopes", "--any-scopes", "--etag", "Example:", ...CALL],
  ],
  ["owners disable", ["<owner>", "--tenant", "Example:", ...CALL]],
  ["owners enable", ["<owner>", "--tenant", "Example:", ...CALL]],
  ["owners delete", ["<owner>", "--tenant", "--etag", "Example:", ...CALL]],
  ["admin-keys", ["create", "list", "revoke"]],
  ["admin-keys create", ["--name", "--scopes", "--tenant", "Example:", ...CALL]],
  ["admin-keys list", CALL],
  ["admin-keys revoke", ["<key>", ...CALL]],
  ["signing-keys", ["rotate"]],
  ["signing-keys rotate", ["--alg", "--withdraw-earlier", "Example:", ...CALL]],
  ["audit", ["list", "watch", "verify"]],
  ["audit list", ["--action", "--actor", "--target", "--tenant", "--since", "--until", "--limit", "Example:", ...CALL]],
  ["audit watch", ["--action", "--actor", "--target", "--tenant", "--after", "Example:", ...CALL]],
  ["audit verify", ["--head", "Example:", ...CALL]],
  [
    "explain",
    [
      ...[
        "--key",
        "--key-id",
        "--method",
        "--path",
        "--host",
        "--ip",
        "--at",
        "--extension",
        "--header",
        "--decision",
        "Examples:",
      ],
      ...["Exit codes: 0 allowed, 3 denied", ...CALL],
    ],
  ],
  ["completion", ["<shell>", "Examples:"]],
  ["config", ["validate", "print", "schema"]],
  ["config validate", SETTINGS],
  ["config print", SETTINGS],
  ["config schema", []],
];

/** The flags that a help text lists. */
function flagsIn(help: string): string[] {
  return [...help.matchAll(/^ +(?:-\w, )?(--[a-z][a-z-]*)/gm)].map(([, flag = ""]) => flag);
}

describe.each(COMMANDS)("keyward %s --help", (command, mentioned) => {
  const words = command.split(" ").filter(Boolean);

  test("exits with 0 and lists on stdout exactly the flags there are", async () => {
    const { code, stdout, stderr } = await run(...words, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^Usage: keyward ${words.join(" ")}`.trimEnd()));
    expect(mentioned.filter((name) => !stdout.includes(name))).toEqual([]);
    const expected = ["--help", ...mentioned.flatMap((name) => name.match(/--[a-z-]+$/) ?? [])];
    expect(flagsIn(stdout).sort()).toEqual(expected.sort());
  });
});

test.each([["--version"], ["-V"]])("%s prints the version of the package", async (flag) => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await run(flag)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

describe("words that cannot be understood exit with 2, say so on stderr and nothing on stdout", () => {
  test.each([
    [[], "Usage: keyward [options] [command]"],
    [["keys"], "Usage: keyward keys [options] [command]"],
    [["owners"], "Usage: keyward owners [options] [command]"],
    [["admin-keys"], "Usage: keyward admin-keys [options] [command]"],
    [["config"], "Usage: keyward config [options] [command]"],
    [["sevre"], "error: unknown command 'sevre'\n(Did you mean serve?)"],
    [["keys", "destroy"], "error: unknown command 'destroy'"],
    [["keys", "lists"], "error: unknown command 'lists'\n(Did you mean list?)"],
    [["admin-keys", "get"], "error: unknown command 'get'"],
    [["--verbose"], "error: unknown option '--verbose'"],
    [["serve", "--databse", "x"], "error: unknown option '--databse'\n(Did you mean --database?)"],
    [["serve", "now"], "error: too many arguments for 'serve'"],
    [["serve", "--database"], "error: option '--database <file>' argument missing"],
    [["keys", "create"], "error: required option '--name <text>' not specified"],
    [["keys", "create", "--name"], "error: option '--name <text>' argument missing"],
    [["keys", "create", "--name", "x", "--scope", "a"], "error: unknown option '--scope'\n(Did you mean --scopes?)"],
    [["keys", "create", "x"], "error: required option '--name <text>' not specified"],
    [["keys", "create", "--name", "x", "y"], "error: too many arguments for 'create'"],
    [["keys", "get"], "error: missing required argument 'key'"],
    [["keys", "get", "a", "b"], "error: too many arguments for 'get'"],
    [["keys", "revoke"], "error: missing required argument 'key'"],
    [["keys", "list", "-o", "xml"], "error: option '-o, --output <format>' argument 'xml' is invalid."],
    [["keys", "list", "-o", "JSON"], "error: option '-o, --output <format>' argument 'JSON' is invalid."],
    [["owners", "create"], "error: missing required argument 'owner'"],
    [["owners", "revoke", "user/a"], "error: unknown command 'revoke'"],
    [["owners", "delete", "a", "b"], "error: too many arguments for 'delete'"],
    [["admin-keys", "create"], "error: required option '--name <text>' not specified"],
    [["admin-keys", "revoke"], "error: missing required argument 'key'"],
  ])("keyward %j", async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.slice(0, message.length)).toBe(message);
  });
});
