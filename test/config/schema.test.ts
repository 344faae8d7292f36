import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readConfigFile } from "../../src/config/config-file.ts";
import { loadSettings } from "../../src/config/load.ts";
import { printSettings } from "../../src/config/print.ts";
import { renderSchema } from "../../src/config/schema.ts";
import { SETTING_KEYS } from "../../src/config/settings.ts";
import { STRUCTURE_KEYS } from "../../src/config/structures.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(renderSchema()));

/** The places of a file that the schema does not take, as JSON Pointers; an unknown key is at its mapping. */
function refused(yaml: string): string[] {
  validate(parse(yaml));
  return [...new Set((validate.errors ?? []).map(({ instancePath }) => instancePath))];
}

test("the file that the package brings is the one that the code renders: npm run generate", () => {
  expect(read("keyward.schema.json")).toBe(renderSchema());
});

test("every setting and structure is described", () => {
  const places = [...SETTING_KEYS.map((key) => key.split(".")), ...STRUCTURE_KEYS.map((key) => [key])];
  for (const path of places) {
    const found = path.reduce((schema, name) => schema.properties[name], JSON.parse(renderSchema()));
    expect([path, found.description]).toEqual([path, expect.stringMatching(/^[A-Z].*\.$/)]);
  }
});

describe("the schema takes", () => {
  const configsIn = (page: string) => {
    const blocks = [...read(page).matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = ""]) => yaml);
    return blocks.filter((yaml) => !yaml.includes("@type"));
  };

  test.each([
    ["README.md", 5],
    ["docs/keys.md", 1],
  ])("each part of a configuration that stands in %s", (page, least) => {
    const configs = configsIn(page);
    expect(configs.length).toBeGreaterThanOrEqual(least);
    expect(configs.map((yaml) => [yaml, refused(yaml)])).toEqual(configs.map((yaml) => [yaml, []]));
    expect(configs.flatMap((yaml) => readConfigFile(page, yaml).problems)).toEqual([]);
  });

  test("the configuration of the demo", () => {
    expect(refused(read("demo/keyward.yaml"))).toEqual([]);
  });

  test("what config print writes", () => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "keyward.yaml"), configsIn("README.md").slice(0, 2).join(""));
    expect(refused(printSettings(loadSettings({ flags: {}, env: {}, cwd })))).toEqual([]);
  });

  test.each([
    ["a file that says nothing", "# nothing\n"],
    ["a section whose entries are commented out", "log:\n  # level: debug\n"],
    ["a scope of which nothing is said", "scopes: { api:read: , api:write: { implies: [api:read] } }\n"],
    ["seconds without a unit", "expiry_warning: 600\n"],
    ["a duration with a unit", "expiry_warning: 500ms\n"],
    ["never", "key_lifetime: { max: never }\n"],
    ["a listener that is off", "listen: { authz: off, admin_local: off }\n"],
    ["IPv6", "listen: { authz: '[::1]:9000' }\n"],
    ["on and off, which YAML 1.2 takes for words", "www_authenticate: off\n"],
  ])("%s", (_, yaml) => {
    expect(readConfigFile("k.yaml", yaml).problems).toEqual([]);
    expect(refused(yaml)).toEqual([]);
  });
});

describe("the schema refuses, as Keyward does,", () => {
  test.each([
    ["an unknown key", "rutes: []\n", ""],
    ["an unknown key of a section", "log: { levle: info }\n", "/log"],
    ["an unknown key of a route", "routes: [{ path: /a, acess: deny }]\n", "/routes/0"],
    ["a word that is none of a few", "log: { level: loud }\n", "/log/level"],
    ["a number above its bound", "check_threads: 65\n", "/check_threads"],
    ["a number below its bound", "check_threads: 0\n", "/check_threads"],
    ["a fraction", "check_threads: 1.5\n", "/check_threads"],
    ["a word for a truth value", "single_key: yes\n", "/single_key"],
    ["a sum of durations", "expiry_warning: 1h30m\n", "/expiry_warning"],
    ["a negative duration", "expiry_warning: -1\n", "/expiry_warning"],
    ["never where there has to be an end", "expiry_warning: never\n", "/expiry_warning"],
    ["an address without a port", "listen: { authz: 127.0.0.1 }\n", "/listen/authz"],
    ["a port of TCP for the local socket", "listen: { admin_local: 127.0.0.1:7071 }\n", "/listen/admin_local"],
    ["a number where there has to be text", "realm: 7\n", "/realm"],
    ["a route without a path", "routes: [{ access: deny }]\n", "/routes/0"],
    ["a mapping for a list", "routes: { path: /a }\n", "/routes"],
    ["a scope that implies text", "scopes: { a: { implies: b } }\n", "/scopes/a/implies"],
    ["a source without its name", "credentials: [{ from: header }]\n", "/credentials/0"],
    ["no place for a credential", "credentials: []\n", "/credentials"],
    ["a list for the whole file", "- a\n", ""],
  ])("%s", (_, yaml, place) => {
    expect(readConfigFile("k.yaml", yaml).problems).not.toEqual([]);
    expect(refused(yaml)).toContain(place);
  });
});
