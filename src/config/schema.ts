import { DATABASE_PLACEHOLDER, SETTING_KEYS, type SettingKey, settingOf } from "./settings.ts";
import { STRUCTURE_KEYS, STRUCTURE_USES, structureSchema } from "./structures.ts";

/** A part of the schema that has keys below it. */
interface Section {
  readonly type: readonly string[];
  readonly additionalProperties: false;
  readonly properties: Record<string, object>;
}

/**
 * Writes what a configuration file may say as JSON Schema, for editors that complete and check it. It refuses nothing that
 * Keyward takes; bounds that it cannot express stand in the descriptions, and `keyward config validate` knows them all.
 * Draft 7, which the language servers for YAML know best.
 */
export function renderSchema(): string {
  const root = newSection();
  for (const key of SETTING_KEYS) place(root, key.split("."), settingSchema(key));
  for (const key of STRUCTURE_KEYS) place(root, [key], { description: STRUCTURE_USES[key], ...structureSchema(key) });
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "Keyward's configuration file", ...root };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function settingSchema(key: SettingKey): object {
  const { type, default: preset, change, what, why } = settingOf(key);
  const restart = change === "restart" ? " Needs a restart." : "";
  return {
    description: `${what}. ${why}. Must be ${type.bound}.${restart}`,
    // An editor would write the placeholder into the file.
    ...(preset?.includes(DATABASE_PLACEHOLDER) === false && { default: type.fromText(preset) }),
    ...type.schema,
  };
}

/** Puts a schema below the sections that a path names, and makes those that are not there. */
function place(section: Section, [name = "", ...below]: readonly string[], schema: object): void {
  if (below.length === 0) {
    section.properties[name] = schema;
    return;
  }
  section.properties[name] ??= newSection();
  place(section.properties[name] as Section, below, schema);
}

/** A section whose entries are all commented out is empty: null. */
function newSection(): Section {
  return { type: ["object", "null"], additionalProperties: false, properties: {} };
}
