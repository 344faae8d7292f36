import type { CheckContext } from "./context.ts";
import type { Carriers } from "./credential.ts";
import { type Allowed, type Decision, type Denied, isAllowed } from "./decide.ts";
import { denialBody, denialHeaders } from "./denial.ts";
import { expiryWarning } from "./expiry-warning.ts";
import { writeAddedHeader, writeHeader } from "./header-options.ts";
import type { IdentityHeaders } from "./identity.ts";
import { createIdentityWriter } from "./identity-writer.ts";
import { writeMetadata } from "./metadata.ts";
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
  const writeIdentity = createIdentityWriter(identityHeaders, OK);

  /** Status 0 is what Envoy lets through; so is no status at all, which no other function here can leave out. */
  const allow = (
    decision: Allowed,
    context: CheckContext,
    carriers: Carriers,
    spellings: readonly string[],
    staleMs: number,
  ) => {
    if (!isAllowed(decision)) throw new TypeError("only decide may allow");
    writeDynamicMetadata(writer, decision, context.decisionId, staleMs);
    const ok = writer.mark();
    // Beside those of the upstream: both headers are lists, and its limits hold as well.
    if (decision.taken !== undefined) {
      for (const [name, value] of rateLimitHeaders(decision.taken)) {
        writeAddedHeader(writer, OK.responseHeadersToAdd, name, value);
      }
    }
    const warning = expiryWarning(decision.record, context.nowMs, expiryWarningMs);
    for (const [name, value] of warning) writeHeader(writer, OK.responseHeadersToAdd, name, value);
    writeWithoutCarriers(writer, carriers);
    writeIdentity(writer, decision, spellings);
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
      writeDynamicMetadata(writer, decision, id, staleMs);
    } else {
      writeDynamicMetadata(writer, decision, id, staleMs);
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

/** What held the secret does not go on. Other cookies do: the header is written anew without the one that held it. */
function writeWithoutCarriers(writer: BackwardWriter, { headers, cookies, parameters }: Carriers): void {
  if (parameters !== undefined) {
    for (const parameter of parameters) writer.text(OK.queryParametersToRemove, parameter);
  }
  for (const header of headers) writer.text(OK.headersToRemove, header);
  if (cookies === "") writer.text(OK.headersToRemove, "cookie");
  else if (cookies !== undefined) writeHeader(writer, OK.headers, "cookie", cookies);
}

/** A DeniedHttpResponse. A realm asks for WWW-Authenticate. */
function writeRefusal(writer: BackwardWriter, decision: Denied, id: string, realm: string | undefined): void {
  writer.text(DENIED.body, denialBody(decision, id));
  for (const [name, value] of denialHeaders(decision, id, realm)) writeHeader(writer, DENIED.headers, name, value);
  const status = writer.mark();
  writer.number(1, REASONS[decision.reason].status);
  writer.message(DENIED.status, status);
}

function writeDynamicMetadata(writer: BackwardWriter, decision: Decision, id: string, staleMs: number): void {
  const struct = writer.mark();
  writeMetadata(writer, decision, id, staleMs);
  writer.message(RESPONSE.dynamicMetadata, struct);
}
