import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { prepareSingleKey } from "../../src/cli/single-key.ts";
import { loadSettings } from "../../src/config/load.ts";
import { isSecret } from "../../src/key/secret.ts";
import { digestOf } from "../store/support/keys.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { secretOf } from "../support/sample-keys.ts";

const SECRET = secretOf("single");

function prepared(cwd: string, env: Readonly<Record<string, string>>, flags: object = { "single-key": true }) {
  return prepareSingleKey(loadSettings({ flags: { ...flags }, env, cwd }), Date.now());
}

/** The arguments that a shell with these variables gives to curl. */
function curlArguments(announcement: string, cwd: string, env: Readonly<Record<string, string>>): string[] {
  const line = announcement.split("\n").find((candidate) => candidate.trim().startsWith("curl ")) ?? "";
  const script = `curl() { printf '%s\\n' "$@"; }\n${line}`;
  return execFileSync("sh", ["-c", script], { cwd, env: { ...process.env, ...env }, encoding: "utf8" })
    .trimEnd()
    .split("\n");
}

describe("what serve --single-key prints", () => {
  const ENVOY = "http://127.0.0.1:8080/";

  test("names the port on which the shipped Envoy listens", () => {
    const shipped = parse(readFileSync(new URL("../../deploy/envoy/envoy.yaml", import.meta.url), "utf8"));
    const ingress = shipped.static_resources.listeners[0];
    expect([ingress.name, ingress.address.socket_address.port_value]).toEqual(["ingress", Number(ENVOY.slice(17, 21))]);
  });

  test("holds a key that was drawn for this run, and the settings hold its digest", () => {
    const cwd = folderForThisTest();
    const [one, other] = [prepared(cwd, {}), prepared(cwd, {})];
    const secrets = [one, other].map(({ announcement }) => /^ {2}(kw_\S+)$/m.exec(announcement)?.[1] ?? "");
    expect(secrets.map(isSecret)).toEqual([true, true]);
    expect(secrets[0]).not.toBe(secrets[1]);
    expect([one, other].map(({ settings }) => settings.singleKey)).toEqual(
      secrets.map((secret) => ({ digest: digestOf(secret) })),
    );
    expect(curlArguments(one.announcement, cwd, {})).toEqual([
      "-i",
      "-H",
      `authorization: Bearer ${secrets[0]}`,
      ENVOY,
    ]);
  });

  test.each([
    ["KEYWARD_SINGLE_KEY", SECRET],
    ["KEYWARD_SINGLE_KEY_FILE", "a key"],
  ])("does not hold a key that %s gave: the shell finds it there", (name, value) => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "a key"), `${SECRET}\n`);
    const { announcement, settings } = prepared(cwd, { [name]: value });
    expect(announcement).not.toContain(SECRET.slice(3, 11));
    expect(settings.singleKey).toEqual({ digest: digestOf(SECRET) });
    const given = curlArguments(announcement, cwd, { [name]: value });
    expect(given).toEqual(["-i", "-H", `authorization: Bearer ${SECRET}`, ENVOY]);
  });

  test.each<[credentials: string, given: string[]]>([
    ["[{ from: header, name: x-key }, { from: bearer }]", ["-H", `authorization: Bearer ${SECRET}`, ENVOY]],
    ["[{ from: scheme, name: Token }]", ["-H", `authorization: token ${SECRET}`, ENVOY]],
    ["[{ from: header, name: 'x-$HOME`id`' }]", ["-H", `x-$home\`id\`: ${SECRET}`, ENVOY]],
    ["[{ from: basic, username: alice }]", ["-u", `alice:${SECRET}`, ENVOY]],
    ["[{ from: basic, username: '*' }]", ["-u", `keyward:${SECRET}`, ENVOY]],
    ["[{ from: query, name: key }]", [`${ENVOY}?key=${SECRET}`]],
    ["[{ from: cookie, name: key }]", ["-b", `key=${SECRET}`, ENVOY]],
  ])("presents the key where credentials: %s look for it", (credentials, given) => {
    const cwd = folderForThisTest();
    writeFileSync(join(cwd, "keyward.yaml"), `credentials: ${credentials}\n`);
    const env = { KEYWARD_SINGLE_KEY: SECRET };
    expect(curlArguments(prepared(cwd, env).announcement, cwd, env)).toEqual(["-i", ...given]);
  });

  test("is nothing without single_key", () => {
    const { announcement, settings } = prepared(folderForThisTest(), { KEYWARD_SINGLE_KEY: SECRET }, {});
    expect([announcement, settings.singleKey]).toEqual(["", undefined]);
  });
});
