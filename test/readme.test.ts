import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { REASON_NAMES, REASONS } from "../src/check/reason.ts";
import { renderSettingsTable } from "../src/config/reference.ts";
import { tokenOf } from "./support/sample-keys.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const readme = read("README.md");

/** What stands between the two markers of a name. */
function section(name: string): string {
  const parts = readme.split(`<!-- ${name} -->\n`);
  expect(parts).toHaveLength(3);
  return parts[1] ?? "";
}

function reasonsTable(): string {
  const rows = REASON_NAMES.map((reason) => {
    const { status, description } = REASONS[reason];
    return `| \`${reason}\` | ${status} | ${description} |\n`;
  });
  return `| reason | HTTP | \`error_description\` |\n| --- | --- | --- |\n${rows.join("")}`;
}

describe("README", () => {
  test("the table of settings is the one that the code renders", () => {
    expect(section("settings")).toBe(renderSettingsTable());
  });

  test("the table of reasons is the one that the code has, in its order", () => {
    expect(section("reasons")).toBe(reasonsTable());
  });

  test("the Envoy filter is that of the shipped configuration, without its comments", () => {
    const shown = section("envoy").split("\n").slice(1, -2);
    const lines = read("deploy/envoy/envoy.yaml")
      .split("\n")
      .filter((line) => !/^\s*#/.test(line));
    const start = lines.findIndex((line) => line.trim() === shown[0]);
    const indent = lines[start]?.search(/\S/) ?? 0;
    expect(lines.slice(start, start + shown.length).map((line) => line.slice(indent))).toEqual(shown);
  });

  test.each([...readme.matchAll(/npm run ([a-z]+)/g)].map(([, script]) => script))(
    "npm run %s is a script",
    (script) => {
      expect(Object.keys(JSON.parse(read("package.json")).scripts)).toContain(script);
    },
  );

  test("the secret scanners' expression finds a key and not one that is a character short", () => {
    const expression = new RegExp(/`(\\bkw\S+)`/.exec(readme)?.[1] ?? "never");
    expect(expression.test(`kw_${"a".repeat(49)}`)).toBe(true);
    expect(expression.test(`kw_${"a".repeat(48)}`)).toBe(false);
  });

  test("the secret scanners' expression for signed keys finds one, and neither its payload nor another's token", () => {
    const expression = new RegExp(/`(\\beyJ\S+)`/.exec(readme)?.[1] ?? "never");
    const token = tokenOf("a");
    expect(expression.test(token)).toBe(true);
    expect(expression.test(token.slice(0, token.lastIndexOf(".")))).toBe(false);
    expect(expression.test(tokenOf("a", { alg: "ES256", kid: "kwsk_1" }))).toBe(false);
  });
});
