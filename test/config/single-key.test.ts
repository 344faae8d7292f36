import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Sources } from "../../src/config/config-path.ts";
import { loadSettings } from "../../src/config/load.ts";
import { printSettings } from "../../src/config/print.ts";
import { digestOf } from "../store/support/keys.ts";
import { secretOf } from "../support/sample-keys.ts";

const SECRET = secretOf("single");
const ADMIN_SECRET = secretOf("admin", "kwadm");
const ON = { "single-key": true };
const HOW = "without it, serve --single-key draws a key and prints it";
const SERVES = "--single-key true serves checks of one key in memory;";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-config-"));
  writeFileSync(join(cwd, "key"), `${SECRET}\n`);
});
afterEach(() => rmSync(cwd, { recursive: true }));

const load = (sources: Partial<Sources>) => loadSettings({ flags: {}, env: {}, cwd, ...sources });

function problemsOf(sources: Partial<Sources>): readonly string[] {
  try {
    load(sources);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe("single_key", () => {
  test.each<[how: string, sources: Partial<Sources>, digest: string | undefined]>([
    ["without a key", { flags: ON }, undefined],
    ["with a key", { flags: ON, env: { KEYWARD_SINGLE_KEY: SECRET } }, digestOf(SECRET)],
    ["with a key in a file", { flags: ON, env: { KEYWARD_SINGLE_KEY_FILE: "key" } }, digestOf(SECRET)],
    [
      "with a key of another prefix",
      { flags: ON, env: { KEYWARD_SINGLE_KEY: secretOf("single", "acme_live") } },
      digestOf(secretOf("single", "acme_live")),
    ],
    ["beside mode authz", { flags: { ...ON, mode: "authz" } }, undefined],
  ])("%s serves checks, and of the key nothing but the digest is kept", (_, sources, digest) => {
    const loaded = load(sources);
    expect([loaded.settings.mode, loaded.settings.singleKey, loaded.warnings]).toEqual(["authz", { digest }, []]);
    expect(JSON.stringify([loaded, [...loaded.origins]])).not.toContain(SECRET.slice(12, 40));
  });

  test("can be turned on by the file, and off again by the flag", () => {
    writeFileSync(join(cwd, "keyward.yaml"), "single_key: true\n");
    expect(load({}).settings).toMatchObject({ mode: "authz", singleKey: { digest: undefined } });
    const { settings } = load({ flags: { "single-key": "false" } });
    expect([settings.mode, settings.singleKey]).toEqual(["all", undefined]);
  });

  test.each([
    ["KEYWARD_SINGLE_KEY", SECRET],
    ["KEYWARD_SINGLE_KEY", "true"],
    ["KEYWARD_SINGLE_KEY_FILE", "key"],
  ])("is not turned on by %s=%s, and the operator is told", (name, value) => {
    const { settings, warnings } = load({ env: { [name]: value } });
    expect([settings.mode, settings.singleKey]).toEqual(["all", undefined]);
    expect(warnings).toEqual([`${name} is set, but opens nothing without --single-key`]);
  });

  test.each<[what: string, env: Sources["env"], problem: string]>([
    [
      "with another last character",
      { KEYWARD_SINGLE_KEY: `${SECRET.slice(0, -1)}-` },
      `KEYWARD_SINGLE_KEY does not hold a whole key (such as kw_ and 49 characters); ${HOW}`,
    ],
    [
      "a character short",
      { KEYWARD_SINGLE_KEY: SECRET.slice(0, -1) },
      `KEYWARD_SINGLE_KEY does not hold a whole key (such as kw_ and 49 characters); ${HOW}`,
    ],
    [
      "chosen by a person",
      { KEYWARD_SINGLE_KEY: "swordfish" },
      `KEYWARD_SINGLE_KEY does not hold a whole key (such as kw_ and 49 characters); ${HOW}`,
    ],
    [
      "of the administrators",
      { KEYWARD_SINGLE_KEY: ADMIN_SECRET },
      `KEYWARD_SINGLE_KEY holds an admin key, which opens nothing on the data plane; ${HOW}`,
    ],
    [
      "in both variables",
      { KEYWARD_SINGLE_KEY: SECRET, KEYWARD_SINGLE_KEY_FILE: "key" },
      "KEYWARD_SINGLE_KEY and KEYWARD_SINGLE_KEY_FILE must not both be set",
    ],
    [
      "in a missing file",
      { KEYWARD_SINGLE_KEY_FILE: "gone" },
      'KEYWARD_SINGLE_KEY_FILE "gone" cannot be read: no such file or directory',
    ],
    [
      "in place of its file",
      { KEYWARD_SINGLE_KEY_FILE: SECRET },
      "KEYWARD_SINGLE_KEY_FILE <redacted> cannot be read: no such file or directory",
    ],
    [
      "with an admin key that is none",
      { KEYWARD_SINGLE_KEY: "swordfish", KEYWARD_ADMIN_KEY: "x" },
      `KEYWARD_ADMIN_KEY does not hold a whole admin key (kwadm_ and 49 characters)\nKEYWARD_SINGLE_KEY does not hold a whole key (such as kw_ and 49 characters); ${HOW}`,
    ],
  ])("with a key %s is refused, and the key stands in no message", (_, env, problem) => {
    const problems = problemsOf({ flags: ON, env }).join("\n");
    expect(problems).toBe(problem);
    for (const secret of [SECRET, ADMIN_SECRET]) expect(problems).not.toContain(secret.slice(12, 40));
    expect(problems).not.toContain("swordfish");
  });

  test.each<[sources: Partial<Sources>, problems: string[]]>([
    [{ flags: { ...ON, mode: "admin" } }, [`${SERVES} --mode "admin" serves no checks`]],
    [
      { flags: { ...ON, "write-admin-key": "k" } },
      [`${SERVES} --write-admin-key "k" asks for an admin key, and there is no admin API`],
    ],
    [
      { flags: ON, env: { KEYWARD_ADMIN_KEY: ADMIN_SECRET } },
      [`${SERVES} KEYWARD_ADMIN_KEY gives an admin key, and there is no admin API`],
    ],
    [
      { flags: { ...ON, "check-threads": "2" } },
      [`${SERVES} --check-threads 2 must be 1, since several threads guard their port by a lock beside the database`],
    ],
    [{ flags: { ...ON, "check-threads": "1" } }, []],
    [
      { flags: { ...ON, "listen-authz": "off", "listen-forward-auth": "off" } },
      ["--single-key true needs a listener, but all that it could serve are off"],
    ],
    // Of the listeners that are not started, none is judged.
    [{ flags: { ...ON, "listen-admin": "0.0.0.0:7070" } }, []],
    [{ flags: { ...ON, "listen-admin": "127.0.0.1:9000" } }, []],
  ])("with %j ends in %j", (sources, problems) => {
    expect(problemsOf(sources)).toEqual(problems);
  });

  test("its key is printed by its origin alone", () => {
    const printed = printSettings(load({ flags: ON, env: { KEYWARD_SINGLE_KEY: SECRET } }));
    expect(printed.split("\n")).toEqual(
      expect.arrayContaining([
        "single_key: true # flag --single-key",
        "# the key of single_key: <redacted> (env KEYWARD_SINGLE_KEY)",
      ]),
    );
    expect(printed).not.toContain(SECRET.slice(4, 12));
  });
});
