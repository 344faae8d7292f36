import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Schema } from "../schemas/closed.ts";

const folder = join(import.meta.dirname, "../schemas");

/** What a file of `test/deploy/schemas` holds. */
interface SchemaFile {
  definitions: Record<string, Schema>;
  /** By `apiVersion kind`. */
  kinds: Record<string, Schema>;
}

const validators = new Map<string, ValidateFunction>();

/**
 * Returns what a value breaks of the schema of its kind (`apps/v1 StatefulSet`), one sentence each. A field that the
 * schema does not know is such a breach; rules that only an API server can judge are not looked at. Throws where there
 * is no schema: what nothing validates is not shipped.
 */
export function breaches(kind: string, value: unknown): string[] {
  const validate = validators.get(kind) ?? compile(kind);
  validators.set(kind, validate);
  validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`,
  );
}

function compile(kind: string): ValidateFunction {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const { definitions, kinds }: SchemaFile = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const schema = kinds[kind];
    if (schema === undefined) continue;
    // Patterns of Go need not be patterns of Unicode.
    return new Ajv2020({ strict: false, allErrors: true, unicodeRegExp: false }).compile({ ...schema, definitions });
  }
  throw new Error(`no schema in test/deploy/schemas is of ${kind}`);
}
