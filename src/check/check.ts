import type { KeyStore } from "../key/record.ts";
import type { Rule } from "../policy/rule.ts";
import type { AccessRequest } from "./access-request.ts";
import { clientAddress, FORWARDED_FOR } from "./client-address.ts";
import type { CheckContext } from "./context.ts";
import { type Carriers, createCredentialReader } from "./credential.ts";
import { type Decision, decide, decidePublic, deny, type Judging } from "./decide.ts";
import { createDecode } from "./decode.ts";
import { createEncode, type Encode } from "./encode.ts";
import { createHttpEncode, type HttpAnswer } from "./http/answer.ts";
import { type Dialect, forEachDialect } from "./http/dialects.ts";
import { createHttpDecode, type HttpRequest } from "./http/request.ts";
import { lookUp, StoreUnavailableError } from "./lookup.ts";
import { findPlace } from "./place.ts";
import type { CheckPorts } from "./ports.ts";
import { spellingsOf } from "./spelling.ts";
import type { WatchedHeaders } from "./watched.ts";

/** Told in the log where it is the cause of a denial. */
const TOO_STALE = "what is known of keys has not been up to date for longer than `stale` allows";

/** Answers a serialized CheckRequest with a serialized CheckResponse. Never throws; whatever goes wrong is a denial. */
export type Check = (bytes: Uint8Array, context: CheckContext) => Uint8Array;

/** Answers the HTTP request of a gateway. Never throws; whatever goes wrong is a denial. */
export type HttpCheck = (request: HttpRequest, context: CheckContext) => HttpAnswer;

/** Makes the check for Envoy's gRPC. */
export function createCheck(ports: CheckPorts): Check {
  const { trustedHops, latin1 } = ports;
  const forwarded = trustedHops > 0 ? [FORWARDED_FOR] : [];
  return createStations(ports, {
    decode: ({ credentials, identity }) =>
      createDecode({ credentials: [...credentials, ...forwarded], identity }, latin1),
    addressOf: (request) => clientAddress(request, trustedHops),
    encode: createEncode(ports),
  });
}

/** Makes the check for gateways that ask over HTTP, each in its dialect. */
export function createHttpCheck(ports: CheckPorts): HttpCheck {
  const inDialect = (dialect: Dialect): HttpCheck =>
    createStations(ports, {
      decode: (watched) => createHttpDecode(dialect, watched, ports.trustedHops),
      addressOf: (request) => request.sourceAddress,
      encode: createHttpEncode(ports, dialect),
    });
  const checks = forEachDialect(inDialect);
  return (request, context) => checks[request.dialect](request, context);
}

/** How requests are read and answers written for those who ask in one way. */
interface Transport<Question, Answer> {
  decode(watched: WatchedHeaders): (question: Question) => AccessRequest | undefined;
  /** The client's address, where it is known. */
  addressOf(request: AccessRequest): string | undefined;
  readonly encode: Encode<Answer>;
}

/**
 * One request passes these stations, whoever asks, and the first that refuses it gives the reason:
 *
 *  1. decode      malformed_request
 *  2. place       malformed_request, ambiguous_host, ambiguous_path, misconfigured_route, route_denied; a public route
 *                 ends here with an allow
 *  3. credential  no_credential, ambiguous_credential, malformed_credential
 *  4. look-up     store_unavailable, unknown_key
 *  5. decide      key_revoked, key_disabled, owner_disabled, key_expired, key_not_yet_valid, address_not_allowed,
 *                 tenant_mismatch, owner_mismatch, method_not_allowed, path_not_allowed, insufficient_scope,
 *                 rate_limited, or an allow
 *  6. encode      the one place that writes an answer; internal_error where any station broke its promise
 */
function createStations<Question, Answer>(
  ports: CheckPorts,
  transport: Transport<Question, Answer>,
): (question: Question, context: CheckContext) => Answer {
  const { policy, digest, store, serveStaleForMs, observe, noteKey, noteInvalidKey } = ports;
  const { addressOf, encode } = transport;
  const credentials = createCredentialReader(ports.credentials);
  const identity = Object.values(ports.identityHeaders);
  const decode = transport.decode({ credentials: credentials.headers, identity });
  const judging: Judging = { scopes: policy.scopes, rates: ports.rates };
  const every = identity.flatMap(spellingsOf);
  // A cookie is never removed unseen: the others in its header are not ours.
  const keyHeaders = credentials.headers.filter((name) => name !== "cookie");

  /** What of an allowed request does not go on. `kept` are the headers in which a key does, where it does. */
  const takenOut = (request: AccessRequest, carriers: Carriers, kept: readonly string[] | undefined): Carriers => {
    const seen = kept === undefined ? carriers : NOTHING;
    if (!request.headersFiltered) return seen;
    // A second copy of the key may be in a header that Envoy did not show.
    return { ...seen, headers: keyHeaders.filter((name) => !kept?.includes(name)) };
  };

  const isTooStale = (rule: Rule, staleMs: number): boolean =>
    staleMs > (rule.serveStaleForMs ?? serveStaleForMs) ||
    (rule.also?.some((other) => isTooStale(other, staleMs)) ?? false);

  const judge = (
    request: AccessRequest | undefined,
    address: string | undefined,
    nowMs: number,
    staleMs: number,
  ): Judgement => {
    if (request === undefined) return denied("malformed_request");
    const place = findPlace(request, policy);
    if ("allowed" in place) return { decision: place, carriers: NOTHING };
    const { path, rule } = place;
    if (rule.access === "public") {
      return { decision: decidePublic(rule), carriers: credentials.carriersOfSecrets(request) };
    }

    const credential = credentials.read(request, hasForeignKeys(store));
    if (typeof credential === "string") return denied(credential, rule);
    if ("malformed" in credential) {
      return { decision: { ...deny("malformed_credential", rule), flaw: credential.flaw }, carriers: NOTHING };
    }

    if (isTooStale(rule, staleMs)) throw new StoreUnavailableError(new Error(TOO_STALE));
    const record = lookUp(credential.secret, digest, store);
    if (record === undefined || credential.wrongUser) return denied("unknown_key", rule);

    const target = { method: request.method, path, address };
    const decision = decide(target, rule, record, nowMs, judging);
    const kept = rule.forwardCredential && record.signed ? credential.carriers.headers : undefined;
    return { decision, carriers: takenOut(request, credential.carriers, kept) };
  };

  return (question, context) => {
    const { nowMs } = context;
    let request: AccessRequest | undefined;
    let address: string | undefined;
    let staleMs = 0;
    try {
      staleMs = store.staleMs?.() ?? 0;
      request = decode(question);
      address = request && addressOf(request);
      const { decision, carriers } = judge(request, address, nowMs, staleMs);
      const answer = encode(decision, context, carriers, identitySpellings(request, every), staleMs);
      const { record, reason } = decision;
      observe(decision, request, context, undefined, decision.allowed ? undefined : address);
      if (record !== undefined) {
        const isInGrace = record.graceEndsAtMs !== undefined && decision.allowed;
        noteKey?.(record, reason, address, isInGrace ? request?.userAgent : undefined, nowMs);
      } else if (reason === "malformed_credential" || reason === "unknown_key") {
        noteInvalidKey?.(reason, address, nowMs);
      }
      return answer;
    } catch (cause) {
      const decision = deny(cause instanceof StoreUnavailableError ? "store_unavailable" : "internal_error");
      const answer = encode(decision, context, NOTHING, [], staleMs);
      try {
        observe(decision, request, context, cause, address);
      } catch {
        // The observer may be what threw: telling is not worth the answer.
      }
      return answer;
    }
  };
}

/** What a client may have sent under the names of identity headers: what was seen, or where headers were hidden, all. */
function identitySpellings(request: AccessRequest | undefined, every: readonly string[]): readonly string[] {
  if (request === undefined) return [];
  return request.headersFiltered ? every : request.identitySpellings;
}

/** Whether a key may be of another form than ours: such were imported. */
function hasForeignKeys({ foreignKeys }: KeyStore): boolean {
  return foreignKeys !== undefined && foreignKeys() !== "none";
}

/** A decision, and what carried the secret and must not reach the upstream. */
interface Judgement {
  readonly decision: Decision;
  readonly carriers: Carriers;
}

/** A denial reaches no upstream, so nothing has to be taken out. */
const NOTHING: Carriers = { headers: [] };

function denied(...reason: Parameters<typeof deny>): Judgement {
  return { decision: deny(...reason), carriers: NOTHING };
}
