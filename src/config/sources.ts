import { lstatSync } from "node:fs";
import { type ConfigFile, NO_CONFIG_FILE, readConfigFile } from "./config-file.ts";
import { configNames, configPath, DEFAULT_CONFIG_FILE, type Sources } from "./config-path.ts";
import { variable } from "./environment.ts";
import { DEFAULT_ORIGIN, envOrigin, type Found, flagOrigin, nameAt, type Origin } from "./origin.ts";
import { show } from "./reading.ts";
import {
  DATABASE_PLACEHOLDER,
  flagOf,
  SETTING_KEYS,
  type SettingKey,
  settingOf,
  settingVariableOf,
} from "./settings.ts";
import { readTextFile } from "./text-file.ts";

/** Reads the configuration file. One that is named must be there. */
export function openConfigFile(sources: Sources): ConfigFile {
  const { flag, variable: fromEnvironment } = configNames(sources);
  const named = flag ?? fromEnvironment;
  const name = named ?? DEFAULT_CONFIG_FILE;
  const path = configPath(sources);
  // A link that leads nowhere is there: the routes that it should have brought would be missed unseen.
  if (named === undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined) return NO_CONFIG_FILE;
  const reading = readTextFile(path);
  if ("value" in reading) return readConfigFile(name, reading.value);
  const origin = flag === undefined ? envOrigin("config") : flagOrigin("config");
  const place = named === undefined ? "the configuration file" : nameAt("config", origin);
  return { ...NO_CONFIG_FILE, problems: [`${place} ${show(name)} ${reading.problem}`] };
}

/** The values of all settings, each from the source that has the last word, and the problems of all sources. */
interface Collected {
  readonly found: ReadonlyMap<SettingKey, Found>;
  readonly problems: readonly string[];
}

/** Reads every setting from default, file, environment and flags. The file's own problems are not repeated. */
export function collectValues({ flags, env }: Sources, file: ConfigFile): Collected {
  const found = new Map<SettingKey, Found>();
  const problems: string[] = [];
  const read = (key: SettingKey, said: string | boolean | undefined, origin: Origin): void => {
    if (said === undefined) return;
    const { type } = settingOf(key);
    const raw = typeof said === "string" ? type.fromText(said) : said;
    const reading = type.read(raw);
    const hint = origin.kind === "default" ? " (the default, made from database)" : "";
    if ("value" in reading) found.set(key, { value: reading.value, origin });
    else problems.push(`${nameAt(key, origin)} ${show(raw)} ${reading.problem}${hint}`);
  };
  for (const key of SETTING_KEYS) {
    const written = file.values.get(key);
    if (written !== undefined) found.set(key, written);
    const name = settingVariableOf(key);
    if (name !== undefined) read(key, variable(env, name), envOrigin(key));
    read(key, flags[flagOf(key)], flagOrigin(key));
    if (!found.has(key)) read(key, defaultOf(key, found), DEFAULT_ORIGIN);
  }
  return { found, problems };
}

/** `database` stands before the settings whose default follows from it. */
function defaultOf(key: SettingKey, found: ReadonlyMap<SettingKey, Found>): string | undefined {
  return settingOf(key).default?.replace(DATABASE_PLACEHOLDER, () => String(found.get("database")?.value));
}
