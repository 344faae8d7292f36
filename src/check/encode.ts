import type { CheckContext } from "./context.ts";
import type { Carriers } from "./credential.ts";
import { type Allowed, type Decision, type Denied, isAllowed } from "./decide.ts";
import { denialBody, denialHeaders } from "./denial.ts";
import { expiryWarning } from "./expiry-warning.ts";
import { type IdentityHeaders, identityOf } from "./identity.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { REASONS } from "./reason.ts";
import { BackwardWriter } from "./writer.ts";

/**
 * Writes a decision as an answer, by default as a serialized `envoy.service.auth.v3.CheckResponse`. `carriers` is what held
 * the secret, `spellings` the ways in which the client spelt identity headers, in lower case: an allow removes them.
 * `staleMs` is how stale the store was that was asked.
 */
export type Encode<Answer = Uint8Array> = (
  decision: Decision,
  context: CheckContext,
  carriers: Carriers,
  spellings: readonly string[],
  staleMs?: number,
) => Answer;

/** What the answers of one program have in common. */
export interface EncodeSettings {
  readonly identityHeaders: IdentityHeaders;
  /** The protection space in WWW-Authenticate (RFC 9110 §11.5). */
  readonly realm: string;
  /** Whether WWW-Authenticate is sent at all. */
  readonly wwwAuthenticate: "on" | "off";
  /** In this last part of a key's life its answers tell of its end. 0: never. */
  readonly expiryWarningMs: number;
  /** What a store that cannot answer looks like to Envoy: a denial, or an error that its `failure_mode_allow` decides. */
  readonly onStoreError: "deny" | "error";
}

/** google.rpc.Code: what Envoy takes for a denial in every version is one of these two, whatever the HTTP status. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
/** google.rpc.Code UNAVAILABLE, beside an `error_response`. */
const UNAVAILABLE = 14;

/** HeaderValueOption.HeaderAppendAction OVERWRITE_IF_EXISTS_OR_ADD; its 0 is APPEND_IF_EXISTS_OR_ADD. */
const OVERWRITE = 2;

/** CheckResponse: status 1, denied_response 2, ok_response 3, dynamic_metadata 4, error_response 5 (Envoy 1.37). */
const RESPONSE = { status: 1, denied: 2, ok: 3, dynamicMetadata: 4, error: 5 };

/** OkHttpResponse: headers 2, headers_to_remove 5, response_headers_to_add 6, query_parameters_to_remove 8. */
const OK = { headers: 2, headersToRemove: 5, responseHeadersToAdd: 6, queryParametersToRemove: 8 };

/** DeniedHttpResponse: status 1, headers 2, body 3. */
const DENIED = { status: 1, headers: 2, body: 3 };

/** Makes the encoder. It is the only one, and an allow leaves it only for a decision that `decide` made. */
export function createEncode(settings: EncodeSettings): Encode {
  const writer = new BackwardWriter();
  const { identityHeaders, onStoreError, expiryWarningMs } = settings;
  const realm = settings.wwwAuthenticate === "on" ? settings.realm : undefined;
  const names = Object.values(identityHeaders).map((name) => ({ name, underscored: name.replaceAll("-", "_") }));

  /** Status 0 is what Envoy lets through; so is no status at all, which no other function here can leave out. */
  const allow = (
    decision: Allowed,
    context: CheckContext,
    carriers: Carriers,
    spellings: readonly string[],
    staleMs: number,
  ) => {
    if (!isAllowed(decision)) throw new TypeError("only decide may allow");
    const identity = identityOf(decision, identityHeaders);
    writeMetadata(writer, decision, context.decisionId, staleMs);
    const ok = writer.mark();
    // Beside those of the upstream: both headers are lists, and its limits hold as well.
    if (decision.taken !== undefined) {
      for (const [name, value] of rateLimitHeaders(decision.taken)) {
        writeAddedHeader(writer, OK.responseHeadersToAdd, name, value);
      }
    }
    const warning = expiryWarning(decision.record, context.nowMs, expiryWarningMs);
    for (const [name, value] of warning) writeHeader(writer, OK.responseHeadersToAdd, name, value);
    for (const parameter of carriers.parameters ?? []) writer.text(OK.queryParametersToRemove, parameter);
    writeHeadersToRemove(writer, names, identity, carriers, spellings);
    // The other cookies stay: the header is written anew without the one that held the key.
    if (carriers.cookies) writeHeader(writer, OK.headers, "cookie", carriers.cookies);
    for (const [name, value] of identity) writeHeader(writer, OK.headers, name, value);
    writer.message(RESPONSE.ok, ok);
    writer.message(RESPONSE.status, writer.mark());
  };

  const deny = (decision: Denied, id: string, staleMs: number) => {
    const { status } = REASONS[decision.reason];
    const asError = decision.reason === "store_unavailable" && onStoreError === "error";
    if (asError) {
      const refused = writer.mark();
      writeRefusal(writer, decision, id, undefined);
      writer.message(RESPONSE.error, refused);
      writeMetadata(writer, decision, id, staleMs);
    } else {
      writeMetadata(writer, decision, id, staleMs);
      const refused = writer.mark();
      writeRefusal(writer, decision, id, realm);
      writer.message(RESPONSE.denied, refused);
    }
    const rpc = writer.mark();
    writer.number(1, asError ? UNAVAILABLE : status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED);
    writer.message(RESPONSE.status, rpc);
  };

  return (decision, context, carriers, spellings, staleMs = 0) => {
    writer.reset();
    if (decision.allowed) allow(decision, context, carriers, spellings, staleMs);
    else deny(decision, context.decisionId, staleMs);
    return writer.finish();
  };
}

/**
 * OkHttpResponse.headers_to_remove (5). Envoy removes after it has set, so nothing that is set may be among them. Every
 * identity header is either set or removed, and so is every other spelling of it: those that the client sent, and the
 * one with underscores in any case, because `allowed_headers` may hide from us what the upstream will see.
 */
function writeHeadersToRemove(
  writer: BackwardWriter,
  names: readonly { readonly name: string; readonly underscored: string }[],
  identity: readonly (readonly [string, string])[],
  carriers: Carriers,
  spellings: readonly string[],
): void {
  for (const carrier of carriers.headers) writer.text(OK.headersToRemove, carrier);
  if (carriers.cookies === "") writer.text(OK.headersToRemove, "cookie");
  for (const spelling of spellings) {
    if (!names.some(({ name, underscored }) => spelling === name || spelling === underscored))
      writer.text(OK.headersToRemove, spelling);
  }
  for (const { name, underscored } of names) {
    if (!identity.some(([set]) => set === name)) writer.text(OK.headersToRemove, name);
    if (underscored !== name) writer.text(OK.headersToRemove, underscored);
  }
}

/**
 * A HeaderValueOption, as one of a list of them, that replaces what is there. Both ways of saying so, since versions of Envoy differ in which they read: `append: false` and `append_action`.
 */
function writeHeader(writer: BackwardWriter, field: number, name: string, value: string): void {
  const option = writer.mark();
  writer.number(3, OVERWRITE);
  writer.message(2, writer.mark());
  writeNameAndValue(writer, name, value);
  writer.message(field, option);
}

/** As above, but what is there stays: `append: true`, and the `append_action` that is 0. */
function writeAddedHeader(writer: BackwardWriter, field: number, name: string, value: string): void {
  const option = writer.mark();
  const append = writer.mark();
  writer.number(1, 1);
  writer.message(2, append);
  writeNameAndValue(writer, name, value);
  writer.message(field, option);
}

/** HeaderValueOption.header (1), with HeaderValue.key 1 and value 2. */
function writeNameAndValue(writer: BackwardWriter, name: string, value: string): void {
  const header = writer.mark();
  writer.text(2, value);
  writer.text(1, name);
  writer.message(1, header);
}

/** A DeniedHttpResponse. A realm asks for WWW-Authenticate. */
function writeRefusal(writer: BackwardWriter, decision: Denied, id: string, realm: string | undefined): void {
  writer.text(DENIED.body, denialBody(decision, id));
  for (const [name, value] of denialHeaders(decision, id, realm)) writeHeader(writer, DENIED.headers, name, value);
  const status = writer.mark();
  writer.number(1, REASONS[decision.reason].status);
  writer.message(DENIED.status, status);
}

/** CheckResponse.dynamic_metadata, which Envoy publishes under `envoy.filters.http.ext_authz`. */
function writeMetadata(writer: BackwardWriter, decision: Decision, id: string, staleMs: number): void {
  const struct = writer.mark();
  // As long ago as it was last known to be up to date, in whole seconds.
  if (staleMs > 0) writeTextEntry(writer, "stale", `${Math.ceil(staleMs / 1000)}s`);
  const { record, scopes } = decision;
  if (record !== undefined) {
    writeListEntry(writer, "scopes", scopes ?? []);
    if (record.tenant !== undefined) writeTextEntry(writer, "tenant", record.tenant);
    if (record.owner !== undefined) writeTextEntry(writer, "owner", record.owner);
    writeTextEntry(writer, "key_id", record.id);
  }
  writeTextEntry(writer, "reason", decision.reason);
  writeTextEntry(writer, "decision_id", id);
  writer.message(RESPONSE.dynamicMetadata, struct);
}

/** One entry of Struct.fields (1): key 1, value 2 with Value.string_value 3. */
function writeTextEntry(writer: BackwardWriter, key: string, text: string): void {
  const entry = writer.mark();
  const value = writer.mark();
  writer.text(3, text);
  writer.message(2, value);
  writer.text(1, key);
  writer.message(1, entry);
}

/** As above, with Value.list_value 6, ListValue.values 1, Value.string_value 3. */
function writeListEntry(writer: BackwardWriter, key: string, texts: readonly string[]): void {
  const entry = writer.mark();
  const value = writer.mark();
  const list = writer.mark();
  for (let index = texts.length - 1; index >= 0; index--) {
    const item = writer.mark();
    writer.text(3, texts[index] as string);
    writer.message(1, item);
  }
  writer.message(6, list);
  writer.message(2, value);
  writer.text(1, key);
  writer.message(1, entry);
}
