import { type Command, Option } from "commander";
import { DEFAULT_CONFIG_FILE, type Flags } from "./config-path.ts";
import { flagOf, SETTING_KEYS, settingOf, settingVariableOf } from "./settings.ts";

/** Gives a command `--config` and a flag for each setting of one value. Values are judged by `loadSettings` only. */
export function addSettingFlags(command: Command): Command {
  command.option("--config <file>", `the configuration file (default: ${DEFAULT_CONFIG_FILE}, if it is there)`);
  for (const key of SETTING_KEYS) {
    const { type, what, default: preset } = settingOf(key);
    // A truth value needs no argument, yet takes one, to turn off what the file turns on.
    const argument = type.fromText("true") === true ? `[${type.placeholder}]` : `<${type.placeholder}>`;
    const variable = settingVariableOf(key);
    const about = [preset === undefined ? "" : `default: ${preset}`, variable === undefined ? "" : `env: ${variable}`]
      .filter(Boolean)
      .join(", ");
    command.option(`--${flagOf(key)} ${argument}`, `${lowerFirst(what)} (${about})`);
  }
  return command;
}

/** What a command that has setting flags was given for them, global options included. */
export function settingFlagsOf(command: Command): Flags {
  const given = command.optsWithGlobals<Record<string, string | boolean | undefined>>();
  const names = ["config", ...SETTING_KEYS.map(flagOf)];
  return Object.fromEntries(names.map((name) => [name, given[new Option(`--${name}`).attributeName()]]));
}

/** Commander's own descriptions begin with a small letter. */
function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
}
