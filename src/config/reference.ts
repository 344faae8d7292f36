import { flagOf, SETTING_KEYS, type SettingKey, settingOf, variableOf } from "./settings.ts";
import { DEFAULT_CONFIG_FILE } from "./sources.ts";
import { ENTRY_KEYS } from "./structures.ts";

const HEADINGS = ["Setting", "Flag, environment", "Default", "Must be", "What it is"];

/** Renders the table of all settings in Markdown, as the README has it. Ends with the end of a line. */
export function renderSettingsTable(): string {
  const rows = [
    HEADINGS,
    HEADINGS.map(() => "---"),
    CONFIG,
    ...SETTING_KEYS.map(rowOf),
    ADMIN_KEY,
    CREDENTIALS,
    ROUTES,
    SCOPES,
  ];
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}

function rowOf(key: SettingKey): string[] {
  const { type, default: preset, what, why } = settingOf(key);
  const ways = `${code(`--${flagOf(key)}`)}, ${code(variableOf(key))}`;
  return [code(key), ways, preset === undefined ? "unset" : code(preset), type.bound, `${what}. ${why}.`];
}

const CONFIG = [
  "configuration file",
  "`--config`, `KEYWARD_CONFIG`",
  `\`${DEFAULT_CONFIG_FILE}\` in the working directory, if it is there`,
  "the path of a YAML file",
  "The file that the settings below are read from. One that is named must be there.",
];

const ADMIN_KEY = [
  "admin key",
  "`KEYWARD_ADMIN_KEY`, or a file that `KEYWARD_ADMIN_KEY_FILE` names",
  "unset",
  "an admin key",
  "An admin key of the operator's choice. A secret, so neither a flag nor the file takes it.",
];

const ROUTES = [
  "`routes`",
  "file only",
  "`[]`",
  `a list of ${ENTRY_KEYS.routes.map(code).join(", ")}`,
  "What each request needs; the first that matches wins.",
];

const CREDENTIALS = [
  "`credentials`",
  "file only",
  "`bearer`, `scheme` ApiKey, `header` x-api-key",
  `a list of ${ENTRY_KEYS.credentials.map(code).join(", ")}`,
  "Where a key may be presented, and in which of them it is looked for.",
];

const SCOPES = [
  "`scopes`",
  "file only",
  "unset",
  `a mapping of scopes to ${ENTRY_KEYS.scopes.map(code).join(", ")}`,
  "The scopes there are, and which come with others. Unset: any text of the form of a scope is one.",
];

function code(text: string): string {
  return `\`${text}\``;
}
