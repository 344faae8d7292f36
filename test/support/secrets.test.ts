import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderForThisTest } from "./for-this-test.ts";
import { secretOf, tokenOf } from "./sample-keys.ts";
import { refuseSecrets, refuseSecretsInDatabase } from "./secrets.ts";

const KEY = secretOf("a");

describe("what programs write is searched for", () => {
  test.each([
    ["a key", `{"msg":"${KEY}"}`],
    ["a mistyped key", `path /v1/${KEY.slice(0, -1)}!${KEY.slice(0, -1)}0`],
    ["a key of another prefix", `x ${secretOf("a", "acme_live")} y`],
    ["an admin key", secretOf("a", "kwadm")],
    ["a signed key", `Bearer ${tokenOf("a")}`],
  ])("%s", (_title, text) => {
    expect(() => refuseSecrets("the log", text)).toThrow(/^the log holds a secret/);
  });

  test.each([
    ["the start of one", KEY.slice(0, 11)],
    ["one without its last character", KEY.slice(0, -1)],
    ["an id", "key_0VbcmF4O0Jhbxiz7Vj3O"],
  ])("and not for %s", (_title, text) => {
    expect(() => refuseSecrets("the log", text)).not.toThrow();
  });

  test("a key in a database, between whatever stands beside it", () => {
    const path = join(folderForThisTest(), "keyward.db");
    writeFileSync(path, `\0\x01x${KEY.slice(0, -1)}\0`);
    expect(() => refuseSecretsInDatabase(path)).not.toThrow();
    writeFileSync(`${path}-wal`, `\0\x01x${KEY}x\0`);
    expect(() => refuseSecretsInDatabase(path)).toThrow(`${path}-wal holds a secret`);
  });
});
