import { Command } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { addSettingFlags, settingFlagsOf } from "../config/flags.ts";
import { type LoadedSettings, loadSettings } from "../config/load.ts";
import { printSettings } from "../config/print.ts";
import { renderSchema } from "../config/schema.ts";

/** A configuration that cannot be used is a mistake of the caller, as a mistyped flag is. */
const EXIT_USAGE = 2;

/** `keyward config validate`, `print` and `schema`. Exit code 2 where the configuration cannot be used. */
export function configCommand(): Command {
  const config = new Command("config").description("check or show the configuration in effect");
  addSettingFlags(
    config.command("validate").description("check the configuration and report everything that is wrong"),
  ).action((_, command: Command) => withSettings(command, (loaded) => `${describe(loaded)} is valid\n`));
  addSettingFlags(
    config.command("print").description("print the configuration in effect as YAML, without secrets"),
  ).action((_, command: Command) => withSettings(command, printSettings));
  config
    .command("schema")
    .description("print the JSON Schema of the configuration file, for editors")
    .action(() => void process.stdout.write(renderSchema()));
  return config;
}

function withSettings(command: Command, render: (loaded: LoadedSettings) => string): void {
  try {
    const loaded = loadSettings({ flags: settingFlagsOf(command), env: process.env, cwd: process.cwd() });
    for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(render(loaded));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  }
}

function describe({ file }: LoadedSettings): string {
  return file ?? "the configuration (defaults, environment and flags; no file)";
}
