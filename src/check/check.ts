import type { KeyStore } from "../key/record.ts";
import { ruleFromExtensions } from "../policy/extensions.ts";
import type { Policy } from "../policy/policy.ts";
import type { Rule } from "../policy/rule.ts";
import { type CredentialSource, createCredentialReader } from "./credential.ts";
import { type Decision, decide, decidePublic, deny } from "./decide.ts";
import { type AccessRequest, createDecode } from "./decode.ts";
import { createEncode, type IdentityHeaders } from "./encode.ts";
import { readHost } from "./host.ts";
import { type Digest, lookUp, StoreUnavailableError } from "./lookup.ts";
import { isJudgeableMethod } from "./method.ts";
import { readPath } from "./path.ts";
import { spellingsOf } from "./spelling.ts";

/** What one check is told beside the request. */
export interface CheckContext {
  /** Milliseconds since 1970, by which a key's life is judged. */
  readonly nowMs: number;
  /** Names this decision in the answer, in logs and in metadata. Printable ASCII without `"` and `\`. */
  readonly decisionId: string;
}

/** What the check path needs of the world. */
export interface CheckPorts {
  readonly policy: Policy;
  readonly credentials: readonly CredentialSource[];
  readonly identityHeaders: IdentityHeaders;
  readonly realm: string;
  readonly digest: Digest;
  readonly store: KeyStore;
  /** What a store that cannot answer looks like to Envoy: a denial, or an error that its `failure_mode_allow` decides. */
  readonly onStoreError: "deny" | "error";
  /** Told of every decision once it is made, with what was thrown where that was the reason. */
  readonly observe: (
    decision: Decision,
    request: ObservedRequest | undefined,
    context: CheckContext,
    cause?: unknown,
  ) => void;
}

/** What an observer may see of a request: nothing in which a secret is presented. */
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
 *  6. decide      key_revoked, key_expired, key_not_yet_valid, path_not_allowed, insufficient_scope, or an allow
 *  7. encode      the one place that writes an answer; internal_error where any station broke its promise
 */
export function createCheck(ports: CheckPorts): Check {
  const { policy, digest, store, observe } = ports;
  const credentials = createCredentialReader(ports.credentials);
  const identity = Object.values(ports.identityHeaders);
  const decode = createDecode({ credentials: credentials.headers, identity });
  const encode = createEncode(ports);
  const every = identity.flatMap(spellingsOf);

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
      return { decision: decidePublic(rule), carriers: credentials.carriersOfSecrets(request.headers) };
    }

    const credential = credentials.read(request.headers);
    if (typeof credential === "string") return denied(credential, rule);

    const record = lookUp(credential.secret, digest, store);
    if (record === undefined) return denied("unknown_key", rule);

    // A second copy of the key may be in a header that Envoy did not show.
    const carriers = request.headersFiltered ? credentials.headers : credential.carriers;
    return { decision: decide(path, rule, record, nowMs), carriers };
  };

  return (bytes, context) => {
    let request: AccessRequest | undefined;
    try {
      request = decode(bytes);
      const { decision, carriers } = judge(request, context.nowMs);
      const answer = encode(decision, context.decisionId, carriers, identitySpellings(request, every));
      observe(decision, request, context);
      return answer;
    } catch (cause) {
      const decision = deny(cause instanceof StoreUnavailableError ? "store_unavailable" : "internal_error");
      const answer = encode(decision, context.decisionId, [], []);
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

/** A decision, and the headers that carried the secret and must not reach the upstream. */
interface Judgement {
  readonly decision: Decision;
  readonly carriers: readonly string[];
}

function denied(...reason: Parameters<typeof deny>): Judgement {
  return { decision: deny(...reason), carriers: [] };
}

/** The rule of the request's own route where Envoy sent one, else the configuration's; undefined if it is not sound. */
function ruleOf(request: AccessRequest, policy: Policy, host: string, path: string): Rule | undefined {
  if (request.extensions.length > 0) return ruleFromExtensions(request.extensions);
  return policy.ruleFor(request.method, host, path);
}
