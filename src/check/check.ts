import type { KeyRecord, KeyStore } from "../key/record.ts";
import type { Policy } from "../policy/policy.ts";
import { clientAddress, FORWARDED_FOR } from "./client-address.ts";
import type { CheckContext } from "./context.ts";
import { type Carriers, type CredentialSource, createCredentialReader } from "./credential.ts";
import { type Decision, decide, decidePublic, deny, type Judging } from "./decide.ts";
import { type AccessRequest, createDecode } from "./decode.ts";
import { createEncode, type EncodeSettings } from "./encode.ts";
import { type Digest, lookUp, StoreUnavailableError } from "./lookup.ts";
import { findPlace } from "./place.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { spellingsOf } from "./spelling.ts";

/** Told in the log where it is the cause of a denial. */
const TOO_STALE = "what is known of keys has not been up to date for longer than `stale` allows";

/** What the check path needs of the world. */
export interface CheckPorts extends EncodeSettings {
  readonly policy: Policy;
  readonly credentials: readonly CredentialSource[];
  /** How many proxies stand in front of Envoy. */
  readonly trustedHops: number;
  readonly digest: Digest;
  readonly store: KeyStore;
  readonly rates: Pick<RateLimiter, "take">;
  /** How stale the store may be, in milliseconds, where a route says nothing else. */
  readonly serveStaleForMs: number;
  /**
   * Told of every decision once it is made, with what was thrown where that was the reason, and of a denial with the client's
   * address as far as it is known.
   */
  readonly observe: (
    decision: Decision,
    request: ObservedRequest | undefined,
    context: CheckContext,
    cause?: unknown,
    address?: string,
  ) => void;
  /** Told of every decision about a known key. */
  readonly noteKey?: NoteKey;
  /** Told of everything that was presented and is no key. */
  readonly noteInvalidKey?: NoteInvalidKey;
}

/** Counts what was presented and is no key. The address is the client's, as far as it is known. */
export type NoteInvalidKey = (
  reason: "malformed_credential" | "unknown_key",
  address: string | undefined,
  nowMs: number,
) => void;

/**
 * Counts what is done with a key. The address is the client's, as far as it is known; what the client calls itself is told
 * of allowed keys in their grace period only.
 */
export type NoteKey = (
  record: KeyRecord,
  reason: Decision["reason"],
  address: string | undefined,
  userAgent: string | undefined,
  nowMs: number,
) => void;

/** What an observer may see of a request. The query of `target` may hold a secret: it is not to be told on. */
export type ObservedRequest = Pick<AccessRequest, "method" | "authority" | "target" | "sourceAddress">;

/** Answers a serialized CheckRequest with a serialized CheckResponse. Never throws; whatever goes wrong is a denial. */
export type Check = (bytes: Uint8Array, context: CheckContext) => Uint8Array;

/**
 * Makes the check. One request passes these stations, and the first that refuses it gives the reason:
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
export function createCheck(ports: CheckPorts): Check {
  const { policy, digest, store, serveStaleForMs, observe, noteKey, noteInvalidKey, trustedHops } = ports;
  const credentials = createCredentialReader(ports.credentials);
  const identity = Object.values(ports.identityHeaders);
  const forwarded = trustedHops > 0 ? [FORWARDED_FOR] : [];
  const decode = createDecode({ credentials: [...credentials.headers, ...forwarded], identity });
  const encode = createEncode(ports);
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

    if (staleMs > (rule.serveStaleForMs ?? serveStaleForMs)) throw new StoreUnavailableError(new Error(TOO_STALE));
    const record = lookUp(credential.secret, digest, store);
    if (record === undefined || credential.wrongUser) return denied("unknown_key", rule);

    const target = { method: request.method, path, address };
    const decision = decide(target, rule, record, nowMs, judging);
    const kept = rule.forwardCredential && record.signed ? credential.carriers.headers : undefined;
    return { decision, carriers: takenOut(request, credential.carriers, kept) };
  };

  return (bytes, context) => {
    const { nowMs } = context;
    let request: AccessRequest | undefined;
    let address: string | undefined;
    let staleMs = 0;
    try {
      staleMs = store.staleMs?.() ?? 0;
      request = decode(bytes);
      address = request && clientAddress(request, trustedHops);
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
