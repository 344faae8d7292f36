import type { Decision } from "./decide.ts";
import { type BackwardWriter, piece } from "./writer.ts";

/** The names of the fields, as they are written: Struct.fields (1) are entries with the name as key (1). */
const FIELD = {
  decisionId: name("decision_id"),
  reason: name("reason"),
  keyId: name("key_id"),
  owner: name("owner"),
  tenant: name("tenant"),
  scopes: name("scopes"),
  stale: name("stale"),
};

/**
 * Writes what a decision tells Envoy, which publishes it under `envoy.filters.http.ext_authz`: the content of a
 * `google.protobuf.Struct`. `staleMs` is how stale the store was that was asked.
 */
export function writeMetadata(writer: BackwardWriter, decision: Decision, id: string, staleMs: number): void {
  // As long ago as it was last known to be up to date, in whole seconds.
  if (staleMs > 0) writeText(writer, FIELD.stale, `${Math.ceil(staleMs / 1000)}s`);
  const { record, scopes } = decision;
  if (record !== undefined) {
    writeList(writer, FIELD.scopes, scopes ?? []);
    if (record.tenant !== undefined) writeText(writer, FIELD.tenant, record.tenant);
    if (record.owner !== undefined) writeText(writer, FIELD.owner, record.owner);
    writeText(writer, FIELD.keyId, record.id);
  }
  writeText(writer, FIELD.reason, decision.reason);
  writeText(writer, FIELD.decisionId, id);
}

function name(text: string): Uint8Array {
  return piece((writer) => writer.text(1, text));
}

/** One entry of Struct.fields (1): key 1, value 2 with Value.string_value 3. */
function writeText(writer: BackwardWriter, name: Uint8Array, text: string): void {
  const entry = writer.mark();
  writer.text(3, text);
  writer.message(2, entry);
  writer.piece(name);
  writer.message(1, entry);
}

/** As above, with Value.list_value 6, ListValue.values 1, Value.string_value 3. */
function writeList(writer: BackwardWriter, name: Uint8Array, texts: readonly string[]): void {
  const entry = writer.mark();
  for (let index = texts.length - 1; index >= 0; index--) {
    const item = writer.mark();
    writer.text(3, texts[index] as string);
    writer.message(1, item);
  }
  writer.message(6, entry);
  writer.message(2, entry);
  writer.piece(name);
  writer.message(1, entry);
}
