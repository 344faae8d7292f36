import { Command } from "commander";
import { expect, test } from "vitest";
import { addSettingFlags, settingFlagsOf } from "../../src/config/flags.ts";
import { SETTING_KEYS } from "../../src/config/settings.ts";

test("there is a flag for each setting, with its default in the help", () => {
  const command = addSettingFlags(new Command("serve"));
  expect(command.options).toHaveLength(SETTING_KEYS.length + 1);
  const help = command.helpInformation().replaceAll(/\s+/g, " ");
  expect(help).toContain(
    "--check-threads <number> how many threads answer checks (default: 1, env: KEYWARD_CHECK_THREADS)",
  );
  expect(help).toContain("--insecure-admin [true|false]");
});

test.each<[args: string[], given: object]>([
  [[], {}],
  [["--listen-admin-local", "off", "--config", "k.yaml"], { "listen-admin-local": "off", config: "k.yaml" }],
  [["--insecure-admin"], { "insecure-admin": true }],
  [["--insecure-admin", "false"], { "insecure-admin": "false" }],
  [["--mode", "all", "--mode", "authz"], { mode: "authz" }],
])("%j is given by the names of the flags", (args, given) => {
  const command = addSettingFlags(new Command("serve")).parse(args, { from: "user" });
  expect(settingFlagsOf(command)).toEqual(given);
});
