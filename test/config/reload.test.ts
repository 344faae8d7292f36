import { rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sources } from "../../src/config/config-path.ts";
import { loadSettings } from "../../src/config/load.ts";
import { reloadSettings } from "../../src/config/reload.ts";
import { SETTING_KEYS, settingOf } from "../../src/config/settings.ts";
import { STRUCTURE_KEYS } from "../../src/config/structures.ts";
import { SEEN_TO_RELOAD } from "../serve/support/reloadable.ts";
import { encryptionKeyOf } from "../support/encryption-keys.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { secretOf } from "../support/sample-keys.ts";

/** Loads one file and then another in its place. */
function reloaded(before: string, after: string, more: Partial<Sources> = {}) {
  const cwd = folderForThisTest();
  const sources = { flags: {}, env: {}, cwd, ...more };
  writeFileSync(join(cwd, "keyward.yaml"), before);
  const running = loadSettings(sources);
  writeFileSync(join(cwd, "keyward.yaml"), after);
  return { running, ...reloadSettings(running, sources) };
}

/** Settings that need a restart, with a value other than the default, and what is told. */
const HELD: [key: string, yaml: string, sentence: string][] = [
  ["mode", "mode: authz", 'mode "authz" needs a restart; until then "all" stays in effect'],
  [
    "database",
    "database: ./other.db\nlisten: { admin_local: off }",
    'database "./other.db" needs a restart; until then "./data/keyward.db" stays in effect',
  ],
  ["single_key", "single_key: true", "single_key true needs a restart; until then false stays in effect"],
  [
    "listen.authz",
    "listen: { authz: 127.0.0.1:9001 }",
    'listen.authz "127.0.0.1:9001" needs a restart; until then "127.0.0.1:9000" stays in effect',
  ],
  [
    "listen.admin",
    "listen: { admin: off }",
    'listen.admin "off" needs a restart; until then "127.0.0.1:7070" stays in effect',
  ],
  [
    "listen.admin_local",
    "listen: { admin_local: off }",
    'listen.admin_local "off" needs a restart; until then "unix:./data/keyward.db.admin.sock" stays in effect',
  ],
  [
    "listen.ops",
    "listen: { ops: off }",
    'listen.ops "off" needs a restart; until then "127.0.0.1:9464" stays in effect',
  ],
  ["insecure_admin", "insecure_admin: true", "insecure_admin true needs a restart; until then false stays in effect"],
  ["check_threads", "check_threads: 2", "check_threads 2 needs a restart; until then 1 stays in effect"],
  ["log.format", "log: { format: json }", 'log.format "json" needs a restart; until then "auto" stays in effect'],
  ["cache.max_keys", "cache: { max_keys: 5 }", "cache.max_keys 5 needs a restart; until then 100000 stays in effect"],
  [
    "cache.max_unknown",
    "cache: { max_unknown: 5 }",
    "cache.max_unknown 5 needs a restart; until then 10000 stays in effect",
  ],
  [
    "encryption_key_file",
    "encryption_key_file: /new",
    'encryption_key_file "/new" needs a restart; until then (unset) stays in effect',
  ],
  [
    "write_admin_key",
    "write_admin_key: /new",
    'write_admin_key "/new" needs a restart; until then (unset) stays in effect',
  ],
];

test.each(HELD)("%s is told to need a restart, and stays as it was", (_, yaml, sentence) => {
  const { running, loaded, changed, waiting } = reloaded("realm: one\n", `realm: two\n${yaml}\n`);
  expect(waiting).toContain(`keyward.yaml:2: ${sentence}`);
  expect(changed).toEqual(["realm"]);
  expect(loaded.settings).toEqual({ ...running.settings, realm: "two" });
  expect(loaded.values).toEqual({ ...running.values, realm: "two" });
});

test("a setting that a reload changes is seen to change in test/serve/reload-settings.test.ts", () => {
  const reloadable = SETTING_KEYS.filter((key) => settingOf(key).change === "reload");
  expect(SEEN_TO_RELOAD.toSorted()).toEqual([...reloadable, ...STRUCTURE_KEYS].toSorted());
});

test("what needs a restart is told again by each reload until it is as it was", () => {
  const { loaded, waiting } = reloaded("realm: one\n", "check_threads: 2\n");
  expect(waiting).toHaveLength(1);
  const cwd = folderForThisTest();
  for (const [text, expected] of [
    ["check_threads: 2\n", 1],
    ["check_threads: 1\n", 0],
  ] as const) {
    writeFileSync(join(cwd, "keyward.yaml"), text);
    expect(reloadSettings(loaded, { flags: {}, env: {}, cwd }).waiting).toHaveLength(expected);
  }
});

test("flags win over the reloaded file", () => {
  const { changed, waiting, loaded } = reloaded("realm: one\n", "realm: two\ncheck_threads: 3\n", {
    flags: { realm: "flag", "check-threads": "2" },
  });
  expect([changed, waiting, loaded.settings.realm]).toEqual([[], [], "flag"]);
});

test("secrets are those of the start, though their files are gone", () => {
  const cwd = folderForThisTest();
  const adminKey = secretOf("admin", "kwadm");
  writeFileSync(join(cwd, "keyward.yaml"), "encryption_key_file: encryption-key\n");
  writeFileSync(join(cwd, "encryption-key"), encryptionKeyOf("test"));
  writeFileSync(join(cwd, "admin-key"), adminKey);
  const sources = { flags: {}, env: { KEYWARD_ADMIN_KEY_FILE: "admin-key" }, cwd };
  const running = loadSettings(sources);
  for (const name of ["encryption-key", "admin-key"]) unlinkSync(join(cwd, name));
  const { loaded, changed, waiting } = reloadSettings(running, sources);
  expect([changed, waiting]).toEqual([[], []]);
  expect(loaded.settings).toEqual(running.settings);
  expect(loaded.settings).toMatchObject({ adminKey, encryptionKey: expect.any(Uint8Array) });
  expect(loaded.origins).toEqual(running.origins);
});

test("the key of single_key that was drawn at the start stays", () => {
  const cwd = folderForThisTest();
  const sources = { flags: { "single-key": true }, env: {}, cwd };
  const loaded = loadSettings(sources);
  const drawn = { ...loaded, settings: { ...loaded.settings, singleKey: { digest: "00" } } };
  writeFileSync(join(cwd, "keyward.yaml"), "realm: two\n");
  const again = reloadSettings(drawn, sources);
  expect([again.changed, again.loaded.settings.singleKey]).toEqual([["realm"], { digest: "00" }]);
});

const REFUSED: [title: string, before: string, after: string, problem: string][] = [
  ["that is empty now", "realm: one\n", "", "says nothing any more"],
  ["that holds an empty mapping now", "realm: one\n", "{}\n", "says nothing any more"],
  ["of which every line is a comment now", "routes: []\n", "# routes: []\n", "says nothing any more"],
];

test.each(REFUSED)("a file %s is refused", (_, before, after, problem) => {
  expect(() => reloaded(before, after)).toThrow(`the configuration file "keyward.yaml" ${problem}`);
});

test("a file that has never said anything may go on saying nothing, and then say something", () => {
  expect(reloaded("# nothing\n", "").changed).toEqual([]);
  expect(reloaded("", "realm: two\n").changed).toEqual(["realm"]);
});

test("a file that is gone is refused, named or not", () => {
  for (const flags of [{}, { config: "keyward.yaml" }]) {
    const cwd = folderForThisTest();
    const sources = { flags, env: {}, cwd };
    writeFileSync(join(cwd, "keyward.yaml"), "realm: one\n");
    const running = loadSettings(sources);
    rmSync(join(cwd, "keyward.yaml"));
    expect(() => reloadSettings(running, sources)).toThrow('the configuration file "keyward.yaml" is gone');
  }
});

test("where there was no file there need be none", () => {
  const sources = { flags: {}, env: {}, cwd: folderForThisTest() };
  const running = loadSettings(sources);
  expect(reloadSettings(running, sources)).toMatchObject({ changed: [], waiting: [] });
});
