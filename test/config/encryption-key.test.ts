import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Sources } from "../../src/config/config-path.ts";
import { loadSettings } from "../../src/config/load.ts";
import { printSettings } from "../../src/config/print.ts";
import { show } from "../../src/config/reading.ts";

const BYTES = Uint8Array.from({ length: 32 }, (_, index) => 0xff - index);
const OTHER_BYTES = Uint8Array.from(BYTES).fill(7, 31);
const BASE64 = Buffer.from(BYTES).toString("base64");
const HEX = Buffer.from(BYTES).toString("hex");
const OTHER_HEX = Buffer.from(OTHER_BYTES).toString("hex");

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-config-"));
  writeFileSync(join(cwd, "key"), `${BASE64}\n`);
  writeFileSync(join(cwd, "other"), OTHER_HEX);
});
afterEach(() => rmSync(cwd, { recursive: true }));

const load = (sources: Partial<Sources>) => loadSettings({ flags: {}, env: {}, cwd, ...sources });
const fileSays = (text: string) => writeFileSync(join(cwd, "keyward.yaml"), text);

function problemsOf(sources: Partial<Sources>): readonly string[] {
  try {
    load(sources);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe("an encryption key", () => {
  test.each<[how: string, text: string]>([
    ["base64", BASE64],
    ["base64 without its padding", BASE64.slice(0, -1)],
    ["base64 and the end of a line", `${BASE64}\r\n`],
    ["hex", HEX],
    ["hex in upper case", HEX.toUpperCase()],
  ])("is read from %s, in the variable as in the file", (_, text) => {
    writeFileSync(join(cwd, "key"), text);
    expect(load({ env: { KEYWARD_ENCRYPTION_KEY: text } }).settings.encryptionKey).toEqual(BYTES);
    expect(load({ env: { KEYWARD_ENCRYPTION_KEY_FILE: "key" } }).settings.encryptionKey).toEqual(BYTES);
  });

  test.each<[what: string, text: string]>([
    ["31 bytes in hex", HEX.slice(2)],
    ["32 and a half", `${HEX}0`],
    ["31 bytes in base64", Buffer.from(BYTES.subarray(1)).toString("base64")],
    ["33 bytes in base64", Buffer.from([...BYTES, 0]).toString("base64")],
    ["base64url", BASE64.replaceAll("+", "-").replaceAll("/", "_")],
    ["two lines", `${BASE64}\n${BASE64}`],
    ["a space before it", ` ${BASE64}`],
    ["words", "correct horse battery staple"],
    ["an end of the line only", "\n"],
  ])("of %s is refused, without its text", (_, text) => {
    writeFileSync(join(cwd, "key"), text);
    const why = "does not hold 32 bytes in base64 or hex, on one line (openssl rand -base64 32 makes them)";
    expect(problemsOf({ env: { KEYWARD_ENCRYPTION_KEY: text } })).toEqual([`KEYWARD_ENCRYPTION_KEY ${why}`]);
    expect(problemsOf({ flags: { "encryption-key-file": "key" } })).toEqual([`--encryption-key-file "key" ${why}`]);
  });

  test("is unset where nothing gives one", () => {
    expect(load({}).settings).not.toHaveProperty("encryptionKey");
  });

  test("in a file that cannot be read names the file and where that is said", () => {
    fileSays("realm: x\nencryption_key_file: gone");
    expect(problemsOf({})).toEqual([
      'keyward.yaml:2: encryption_key_file "gone" cannot be read: no such file or directory',
    ]);
  });

  test("is not looked for where no keys are made", () => {
    const env = { KEYWARD_ENCRYPTION_KEY_FILE: "gone", KEYWARD_MODE: "authz" };
    expect(load({ env }).settings).not.toHaveProperty("encryptionKey");
    expect(problemsOf({ env: { ...env, KEYWARD_MODE: "admin" } })).toHaveLength(1);
  });
});

describe("of several sources", () => {
  test.each<[what: string, file: string, sources: Partial<Sources>, bytes: Uint8Array]>([
    ["the variable wins over the file", "other", { env: { KEYWARD_ENCRYPTION_KEY: HEX } }, BYTES],
    ["the variable of a file wins over the file", "other", { env: { KEYWARD_ENCRYPTION_KEY_FILE: "key" } }, BYTES],
    [
      "the flag wins over the variable",
      "other",
      { env: { KEYWARD_ENCRYPTION_KEY: OTHER_HEX }, flags: { "encryption-key-file": "key" } },
      BYTES,
    ],
    ["the file is enough", "other", {}, OTHER_BYTES],
  ])("%s", (_, file, sources, bytes) => {
    fileSays(`encryption_key_file: ${file}`);
    expect(load(sources).settings.encryptionKey).toEqual(bytes);
  });

  test("the two variables contradict each other", () => {
    const env = { KEYWARD_ENCRYPTION_KEY: HEX, KEYWARD_ENCRYPTION_KEY_FILE: "key" };
    expect(problemsOf({ env })).toEqual([
      "KEYWARD_ENCRYPTION_KEY and KEYWARD_ENCRYPTION_KEY_FILE must not both be set",
    ]);
  });
});

describe("its text", () => {
  test.each<[where: string, sources: Partial<Sources>, shown: string]>([
    [
      "the variable",
      { env: { KEYWARD_ENCRYPTION_KEY: HEX } },
      "encryption_key: <redacted> (env KEYWARD_ENCRYPTION_KEY)",
    ],
    ["a file", { flags: { "encryption-key-file": "key" } }, "encryption_key: <redacted> (flag --encryption-key-file)"],
    ["nothing", {}, "encryption_key: unset"],
  ])("from %s is not printed", (_, sources, shown) => {
    const printed = printSettings(load(sources));
    expect(printed).toContain(`# ${shown}\n`);
    for (const text of [BASE64, HEX]) expect(printed).not.toContain(text);
  });

  test("stands in no problem where it strayed into another setting", () => {
    expect(problemsOf({ env: { KEYWARD_ENCRYPTION_KEY_FILE: HEX } })).toEqual([
      "KEYWARD_ENCRYPTION_KEY_FILE <redacted> cannot be read: no such file or directory",
    ]);
    expect(problemsOf({ env: { KEYWARD_MODE: BASE64 } })).toEqual([
      "KEYWARD_MODE <redacted> must be one of all, authz, admin",
    ]);
    expect(show(HEX.slice(1))).toBe(`"${HEX.slice(1, 61)}…"`);
  });

  test("is refused in the configuration file, with the way in", () => {
    fileSays(`encryption_key: ${HEX}`);
    expect(problemsOf({})).toEqual([
      "keyward.yaml:1: encryption_key is a secret: name its file in encryption_key_file instead",
    ]);
  });
});

describe("the parties of a token", () => {
  test.each(["https://keys.example.com/", "urn:example:keys", "orders", "x".repeat(200)])("may be %s", (text) => {
    fileSays(`jwt: { issuer: ${JSON.stringify(text)}, audience: ${JSON.stringify(text)} }`);
    expect(load({}).settings.jwt).toEqual({ issuer: text, audience: text });
  });

  test.each(["", "a b", "x".repeat(201), ":8080", "grüße", 'a"b', "a\\\\b"])("may not be '%s'", (text) => {
    fileSays(`jwt: { issuer: ${JSON.stringify(text)} }`);
    expect(problemsOf({})).toEqual([
      expect.stringMatching(/^keyward\.yaml:1: jwt\.issuer ".*" must be 1 to 200 visible/),
    ]);
  });
});
