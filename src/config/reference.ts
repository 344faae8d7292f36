import { DEFAULT_CONFIG_FILE } from "./config-path.ts";
import { flagOf, SETTING_KEYS, type SettingKey, settingOf, settingVariableOf } from "./settings.ts";
import { ENTRY_KEYS, STRUCTURE_USES } from "./structures.ts";

const HEADINGS = ["Setting", "Flag, environment", "Default", "Must be", "What it is"];

/** Renders the table of all settings in Markdown, as the README has it. Ends with the end of a line. */
export function renderSettingsTable(): string {
  const rows = [
    HEADINGS,
    HEADINGS.map(() => "---"),
    CONFIG,
    ...SETTING_KEYS.map(rowOf),
    ADMIN_KEY,
    ENCRYPTION_KEY,
    SINGLE_KEY,
    CREDENTIALS,
    ROUTES,
    SCOPES,
    TENANTS,
    ADMIN_IDENTITIES,
  ];
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}

function rowOf(key: SettingKey): string[] {
  const { type, default: preset, change, what, why } = settingOf(key);
  const variable = settingVariableOf(key);
  const ways = [`--${flagOf(key)}`, ...(variable === undefined ? [] : [variable])].map(code);
  const about = [`${what}.`, `${why}.`, ...(change === "restart" ? ["Needs a restart."] : [])];
  return [code(key), ways.join(", "), preset === undefined ? "unset" : code(preset), type.bound, about.join(" ")];
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

const ENCRYPTION_KEY = [
  "encryption key",
  "`KEYWARD_ENCRYPTION_KEY`, or the file of `encryption_key_file`",
  "unset",
  "32 bytes in base64 or hex",
  "What signing keys are encrypted with. A secret, so neither a flag nor the configuration file takes it.",
];

const SINGLE_KEY = [
  "key of `single_key`",
  "`KEYWARD_SINGLE_KEY`, or a file that `KEYWARD_SINGLE_KEY_FILE` names",
  "drawn at each start, and printed",
  "a key",
  "The only key there is where `single_key` is on. A secret, so neither a flag nor the file takes it.",
];

const ROUTES = [
  "`routes`",
  "file only",
  "`[]`",
  `a list of ${ENTRY_KEYS.routes.map(code).join(", ")}`,
  STRUCTURE_USES.routes,
];

const CREDENTIALS = [
  "`credentials`",
  "file only",
  "`bearer`, `scheme` ApiKey, `header` x-api-key",
  `a list of ${ENTRY_KEYS.credentials.map(code).join(", ")}`,
  STRUCTURE_USES.credentials,
];

const SCOPES = [
  "`scopes`",
  "file only",
  "unset",
  `a mapping of scopes to ${ENTRY_KEYS.scopes.map(code).join(", ")}`,
  STRUCTURE_USES.scopes,
];

const TENANTS = [
  "`tenants`",
  "file only",
  "`{}`",
  `a mapping of tenants to ${ENTRY_KEYS.tenants.map(code).join(", ")}`,
  STRUCTURE_USES.tenants,
];

const ADMIN_IDENTITIES = [
  "`admin_identities`",
  "file only",
  "`[]`",
  `a list of ${ENTRY_KEYS.admin_identities.map(code).join(", ")}`,
  STRUCTURE_USES.admin_identities,
];

function code(text: string): string {
  return `\`${text}\``;
}
