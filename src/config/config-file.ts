import { nearest } from "./nearest.ts";
import { DEFAULT_ORIGIN, type Found, type Origin } from "./origin.ts";
import { show } from "./reading.ts";
import { SETTING_KEYS, type SettingKey, settingOf } from "./settings.ts";
import { isStructure, readStructure, STRUCTURE_KEYS, type Structures } from "./structures.ts";
import { readYaml } from "./yaml-document.ts";

/** What a configuration file says, as far as it can be understood. */
export interface ConfigFile {
  /** As it was named; undefined where no file is read. */
  readonly name: string | undefined;
  readonly values: ReadonlyMap<SettingKey, Found>;
  readonly structures: Structures;
  /** Where something in a structure stands, such as `["routes", 0, "path"]`; the default where the file has none. */
  structureOrigin(at: readonly PropertyKey[]): Origin;
  /** Whole sentences, in the order of lines. */
  readonly problems: readonly string[];
}

/** What there is to say without a file. */
export const NO_CONFIG_FILE: ConfigFile = {
  name: undefined,
  values: new Map(),
  structures: {},
  structureOrigin: () => DEFAULT_ORIGIN,
  problems: [],
};

/** The keys that have settings below them: `listen`, `tls`, `tls.authz`, … */
const SECTIONS = new Set(SETTING_KEYS.flatMap(sectionsAbove));

/** The keys that may stand at the beginning of a line. */
const TOP_LEVEL = new Set([...SETTING_KEYS.map((key) => key.split(".")[0] ?? key), ...STRUCTURE_KEYS]);

/**
 * Reads the text of a configuration file; `name` is what messages call it. Every problem is reported, and what is right
 * is returned all the same.
 */
export function readConfigFile(name: string, source: string): ConfigFile {
  const { data, problems: syntaxProblems, lineOf } = readYaml(source);
  const values = new Map<SettingKey, Found>();
  const problems = [...syntaxProblems];
  let structures: Structures = {};
  for (const [path, raw] of entriesOf(data)) {
    const key = path.join(".");
    const line = lineOf(path);
    if (isSettingAt(path, key)) {
      const reading = settingOf(key).type.read(raw);
      if ("value" in reading) values.set(key, { value: reading.value, origin: { kind: "file", file: name, line } });
      else problems.push({ line, message: `${key} ${show(raw)} ${reading.problem}` });
    } else if (path.length === 1 && isStructure(key)) {
      const reading = readStructure(key, raw);
      if ("value" in reading) structures = { ...structures, ...reading.value };
      else problems.push(...reading.faults.map(({ at, message }) => ({ line: lineOf(at), message })));
    } else {
      problems.push({ line, message: explainUnusable(path, key, raw) });
    }
  }
  problems.sort((one, other) => one.line - other.line);
  return {
    name,
    values,
    structures,
    structureOrigin: (at) => {
      const isThere = structures[at[0] as keyof Structures] !== undefined;
      return isThere ? { kind: "file", file: name, line: lineOf(at) } : DEFAULT_ORIGIN;
    },
    problems: problems.map(({ line, message }) => `${name}:${line}: ${message}`),
  };
}

/** The entries of the file, those of a section one by one. A section whose entries are all commented out has none. */
function entriesOf(raw: unknown, path: readonly string[] = []): [path: readonly string[], raw: unknown][] {
  const key = path.join(".");
  const isSection = path.length === 0 || (SECTIONS.has(key) && isWrittenAt(path, key));
  if (isSection && (raw === null || raw === undefined)) return [];
  if (!isSection || !isMapping(raw)) return [[path, raw]];
  return Object.entries(raw).flatMap(([name, inner]) => entriesOf(inner, [...path, name]));
}

function isSettingAt(path: readonly string[], key: string): key is SettingKey {
  return isWrittenAt(path, key) && (SETTING_KEYS as readonly string[]).includes(key);
}

/** A path of two names is a key with a dot between them, but the one name "log.level" is not. */
function isWrittenAt(path: readonly string[], key: string): boolean {
  return path.length === key.split(".").length;
}

/** `tls` and `tls.authz` for `tls.authz.cert`. */
function sectionsAbove(key: string): string[] {
  const names = key.split(".");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("."));
}

function explainUnusable(path: readonly string[], key: string, raw: unknown): string {
  if (path.length === 0) return `the file ${show(raw)} must be a mapping`;
  if (SECTIONS.has(key) && isWrittenAt(path, key))
    return `${key} ${show(raw)} must be a mapping with the keys ${namesBelow(key).join(", ")}`;
  if (key === "admin_key") return "admin_key is a secret: set KEYWARD_ADMIN_KEY or KEYWARD_ADMIN_KEY_FILE instead";
  if (key === "encryption_key") return "encryption_key is a secret: name its file in encryption_key_file instead";
  return `unknown key ${show(key)}${hintFor(path)}`;
}

function hintFor(path: readonly string[]): string {
  const name = path.at(-1) ?? "";
  const known = SETTING_KEYS.find((key) => key === name || key.endsWith(`.${name}`));
  const section = known === undefined ? undefined : sectionsAbove(known).at(-1);
  if (section !== undefined) return ` (did you mean ${show(known?.slice(section.length + 1))} below ${show(section)}?)`;
  const parent = path.slice(0, -1).join(".");
  const meant = nearest(name, parent === "" ? TOP_LEVEL : namesBelow(parent));
  return meant === undefined ? "" : ` (did you mean ${show(parent === "" ? meant : `${parent}.${meant}`)}?)`;
}

function namesBelow(section: string): string[] {
  const below = SETTING_KEYS.filter((key) => key.startsWith(`${section}.`)).map((key) => key.slice(section.length + 1));
  return [...new Set(below.map((key) => key.split(".")[0] ?? key))];
}

function isMapping(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
