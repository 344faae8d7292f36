import { statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "./config-error.ts";
import { configPath, type Sources } from "./config-path.ts";
import { type LoadedSettings, loadSettings } from "./load.ts";
import { DEFAULT_ORIGIN, nameAt } from "./origin.ts";
import { show } from "./reading.ts";
import { keptSecrets } from "./secrets.ts";
import { SETTING_KEYS, type SettingKey, settingOf } from "./settings.ts";
import { STRUCTURE_KEYS } from "./structures.ts";
import { toSettings } from "./to-settings.ts";

/** What comes of reading the configuration again. */
export interface Reloaded {
  /** What is in effect from now on: of what needs a restart, the old values. */
  readonly loaded: LoadedSettings;
  /** The names of those that take effect now and are others than before: `routes`, `log.level`, … */
  readonly changed: readonly string[];
  /** A sentence for each that is another one in the file and needs a restart. */
  readonly waiting: readonly string[];
}

/**
 * Reads the configuration again, from the same sources: flags and environment still win over the file. Throws a
 * ConfigError that holds every problem. Secrets are not read again.
 *
 * What is taken for a mistake although a start would take it: a file that is gone, is no regular one (a pipe was read
 * empty by the start), or says nothing any more, as one does that was saved on a full disk. Going on without routes would
 * open what they closed.
 */
export function reloadSettings(running: LoadedSettings, sources: Sources): Reloaded {
  judgeFile(running, sources);
  const next = loadSettings(sources, running);
  if (saysAnything(running) && !saysAnything(next)) throw new ConfigError([refusal(running, "says nothing any more")]);

  const isOther = (key: SettingKey) => !isDeepStrictEqual(next.values[key], running.values[key]);
  const held = SETTING_KEYS.filter((key) => settingOf(key).change === "restart");
  const values = { ...next.values, ...Object.fromEntries(held.map((key) => [key, running.values[key]])) };
  const origins = new Map(next.origins);
  for (const key of held) origins.set(key, running.origins.get(key) ?? DEFAULT_ORIGIN);
  return {
    loaded: { ...next, values, origins, settings: toSettings(values, next.structures, keptSecrets(running).secrets) },
    changed: [
      ...SETTING_KEYS.filter((key) => !held.includes(key) && isOther(key)),
      ...STRUCTURE_KEYS.filter((key) => !isDeepStrictEqual(next.structures[key], running.structures[key])),
    ],
    waiting: held.filter(isOther).map((key) => {
      const place = nameAt(key, next.origins.get(key) ?? DEFAULT_ORIGIN);
      return `${place} ${written(key, next)} needs a restart; until then ${written(key, running)} stays in effect`;
    }),
  };
}

/** Opening a pipe that nobody writes to would hold up the program. */
function judgeFile(running: LoadedSettings, sources: Sources): void {
  const stats = statSync(configPath(sources), { throwIfNoEntry: false });
  if (stats === undefined && running.file !== undefined) throw new ConfigError([refusal(running, "is gone")]);
  if (stats !== undefined && !stats.isFile()) {
    throw new ConfigError([refusal(running, "is no regular file, and cannot be read a second time")]);
  }
}

function refusal({ file }: LoadedSettings, what: string): string {
  return `the configuration file ${show(file)} ${what}; to go on without what it said, start the program anew`;
}

/** Whether anything in effect was said by the file. */
function saysAnything({ origins }: LoadedSettings): boolean {
  return [...origins.values()].some(({ kind }) => kind === "file");
}

function written(key: SettingKey, { values }: LoadedSettings): string {
  const { type, default: preset } = settingOf(key);
  const value = values[key];
  return value === undefined && preset === undefined ? "(unset)" : show(type.write(value));
}
