import type { KeyStore } from "../key/record.ts";
import { ruleFromExtensions } from "../policy/extensions.ts";
import type { Policy } from "../policy/policy.ts";
import type { Rule } from "../policy/rule.ts";
import { clientAddress, FORWARDED_FOR } from "./client-address.ts";
import type { CheckContext } from "./context.ts";
import { type Carriers, type CredentialSource, createCredentialReader } from "./credential.ts";
import { type Decision, decide, decidePublic, deny, type Judging } from "./decide.ts";
import { type AccessRequest, createDecode } from "./decode.ts";
import { createEncode, type EncodeSettings } from "./encode.ts";
import { readHost } from "./host.ts";
import { type Digest, lookUp, StoreUnavailableError } from "./lookup.ts";
import { isJudgeableMethod } from "./method.ts";
import { readPath } from "./path.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { spellingsOf } from "./spelling.ts";

/** What the check path needs of the world. */
export interface CheckPorts extends EncodeSettings {
  readonly policy: Policy;
  readonly credentials: readonly CredentialSource[];
  /** How many proxies stand in front of Envoy. */
  readonly trustedHops: number;
  readonly digest: Digest;
  readonly store: KeyStore;
  readonly rates: RateLimiter;
  /** Told of every decision once it is made, with what was thrown where that was the reason. */
  readonly observe: (
    decision: Decision,
    request: ObservedRequest | undefined,
    context: CheckContext,
    cause?: unknown,
  ) => void;
}

/** What an observer may see of a request. The query of `target` may hold a secret: it is not to be told on. */
export type ObservedRequest = Pick<AccessRequest, "method" | "authority" | "target" | "sourceAddress">;

/** Answers a serialized CheckRequest with a serialized CheckResponse. Never throws; whatever goes wrong is a denial. */
export type Check = (bytes: Uint8Array, context: CheckContext) => Uint8Array;

/**
 * Makes the check. One request passes these stations, and the first that refuses it gives the reason:
 *
 *  1. decode      malformed_request
 *  2. host, path  ambiguous_host, ambiguous_path
 *  3. rule        misconfigured_route, route_denied; a public route ends here with an allow
 *  4. credential  no_credential, ambiguous_credential, malformed_credential
 *  5. look-up     store_unavailable, unknown_key
 *  6. decide      key_revoked, key_disabled, owner_disabled, key_expired, key_not_yet_valid, address_not_allowed,
 *                 tenant_mismatch, owner_mismatch, method_not_allowed, path_not_allowed, insufficient_scope,
 *                 rate_limited, or an allow
 *  7. encode      the one place that writes an answer; internal_error where any station broke its promise
 */
export function createCheck(ports: CheckPorts): Check {
  const { policy, digest, store, observe, trustedHops } = ports;
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

  const judge = (request: AccessRequest | undefined, nowMs: number): Judgement => {
    if (request === undefined || !isJudgeableMethod(request.method)) return denied("malformed_request");

    const host = request.authority === undefined ? undefined : readHost(request.authority);
    if (host === undefined) return denied("ambiguous_host");
    const path = request.target === undefined ? undefined : readPath(request.target, request.bytesKnown);
    if (path === undefined) return denied("ambiguous_path");
    if (host === "" && policy.needsHost(request.method, path)) return denied("ambiguous_host");

    const rule = ruleOf(request, policy, host, path);
    if (rule === undefined) return denied("misconfigured_route");
    if (rule.access === "deny") return denied("route_denied", rule);
    if (rule.access === "public") {
      return { decision: decidePublic(rule), carriers: credentials.carriersOfSecrets(request) };
    }

    const credential = credentials.read(request);
    if (typeof credential === "string") return denied(credential, rule);

    const record = lookUp(credential.secret, digest, store);
    if (record === undefined || credential.wrongUser) return denied("unknown_key", rule);

    const address = record.networks && clientAddress(request, trustedHops);
    const target = { method: request.method, path, address };
    const decision = decide(target, rule, record, nowMs, judging);
    const kept = rule.forwardCredential && record.signed ? credential.carriers.headers : undefined;
    return { decision, carriers: takenOut(request, credential.carriers, kept) };
  };

  return (bytes, context) => {
    let request: AccessRequest | undefined;
    try {
      request = decode(bytes);
      const { decision, carriers } = judge(request, context.nowMs);
      const answer = encode(decision, context, carriers, identitySpellings(request, every));
      observe(decision, request, context);
      return answer;
    } catch (cause) {
      const decision = deny(cause instanceof StoreUnavailableError ? "store_unavailable" : "internal_error");
      const answer = encode(decision, context, NOTHING, []);
      try {
        observe(decision, request, context, cause);
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

/** The rule of the request's own route where Envoy sent one, else the configuration's; undefined if it is not sound. */
function ruleOf(request: AccessRequest, policy: Policy, host: string, path: string): Rule | undefined {
  if (request.extensions.length > 0) return ruleFromExtensions(request.extensions);
  return policy.ruleFor(request.method, host, path);
}
