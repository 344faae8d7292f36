/** A JSON schema, or the OpenAPI dialect of one that Kubernetes writes. */
export type Schema = Readonly<Record<string, unknown>>;

/** What the shape of a value says; descriptions, defaults and what only an API server can judge are left out. */
const KEPT = new Set([
  ...["type", "enum", "required", "nullable", "minimum", "maximum", "minLength", "maxLength", "pattern"],
  ...["minItems", "maxItems", "minProperties", "maxProperties"],
]);

/**
 * Returns a schema of Kubernetes as a JSON schema that takes no field it does not know, as `kubectl apply` and strict
 * decoding do: a misspelt field would otherwise be no error, and have no effect.
 */
export function closed(schema: Schema): Schema {
  return convert(schema, true);
}

function convert(schema: Schema, close: boolean): Schema {
  if (schema["x-kubernetes-int-or-string"] || schema.format === "int-or-string") return { type: ["integer", "string"] };
  const out: Record<string, unknown> = Object.fromEntries(Object.entries(schema).filter(([name]) => KEPT.has(name)));
  const of = (name: string) => schema[name] as Schema;
  const entries = (name: string) => Object.entries((schema[name] ?? {}) as Record<string, Schema>);
  if (schema.$ref) out.$ref = String(schema.$ref).replace("#/components/schemas/", "#/definitions/");
  if (schema.items) out.items = convert(of("items"), close);
  if (schema.properties)
    out.properties = Object.fromEntries(entries("properties").map(([name, value]) => [name, convert(value, close)]));
  if (typeof schema.additionalProperties === "object")
    out.additionalProperties = convert(of("additionalProperties"), close);
  else if (close && schema.properties && !schema["x-kubernetes-preserve-unknown-fields"])
    out.additionalProperties = false;
  // Branches only add conditions to the fields that are known already.
  for (const name of ["allOf", "anyOf", "oneOf"])
    if (schema[name]) out[name] = (schema[name] as Schema[]).map((branch) => convert(branch, false));
  if (schema.not) out.not = convert(of("not"), false);
  return out;
}
