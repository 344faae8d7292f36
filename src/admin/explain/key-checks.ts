import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { clientAddress, FORWARDED_FOR } from "../../check/client-address.ts";
import { hasFormOfKey } from "../../check/credential.ts";
import { type Denied, decide, deny } from "../../check/decide.ts";
import { explain, type Question } from "../../check/explain.ts";
import { lookUp, StoreUnavailableError } from "../../check/lookup.ts";
import { type Destination, findPlace, type Place } from "../../check/place.ts";
import type { RateLimiter } from "../../check/rate-limit.ts";
import { REASONS } from "../../check/reason.ts";
import { sentenceOf } from "../../check/sentence.ts";
import type { ExplainCheckRequest } from "../../gen/keyward/admin/v1/explain_check_pb.ts";
import type { KeyService } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import type { VerifyKeyRequest } from "../../gen/keyward/admin/v1/verify_key_pb.ts";
import { flawOf } from "../../key/flaw.ts";
import type { KeyStore } from "../../key/record.ts";
import { isSecret } from "../../key/secret.ts";
import { isToken } from "../../key/token.ts";
import { isOwnExtension } from "../../policy/extensions.ts";
import type { Policy } from "../../policy/policy.ts";
import { plainRule, type Rule } from "../../policy/rule.ts";
import { secretDigest } from "../../store/digest.ts";
import type { StoredKey } from "../../store/key-row.ts";
import type { Store } from "../../store/store.ts";
import { type Caller, callerOf } from "../caller.ts";
import { keyMessage } from "../keys/key-message.ts";
import { findNamed } from "../named-key.ts";
import { sees } from "../tenancy.ts";
import { explanationMessage } from "./explanation-message.ts";
import { shown, timeOf } from "./wording.ts";

/** What judging keys for callers of the admin API needs. */
export interface KeyCheckPorts {
  readonly store: Pick<Store, "keyById" | "keyByDigest" | "keysByStart" | "foreignKeys">;
  readonly policy: Policy;
  readonly rates: RateLimiter;
  readonly trustedHops: number;
  /** Whether this process serves checks, and so counts what rate limits allow. */
  readonly servesChecks: boolean;
}

/** The methods of KeyService that judge keys. */
type KeyChecks = Pick<ServiceImpl<typeof KeyService>, "explainCheck" | "verifyKey">;

/**
 * Judges keys for those who ask over the admin API, by the functions that judge traffic: ExplainCheck tells how, and
 * VerifyKey only what comes of it. Both see the routes as they are configured for this process.
 */
export function createKeyChecks(ports: KeyCheckPorts): KeyChecks {
  const { store, policy, rates } = ports;

  /** The key with this secret, found as a check finds it; what the caller does not see is not there. */
  const findPresented = (secret: string, caller: Caller): StoredKey | "unknown_key" | "malformed_credential" => {
    const foreign = store.foreignKeys();
    if (!hasFormOfKey(secret, foreign !== "none")) return "malformed_credential";
    const key = find(secret, { find: store.keyByDigest, foreignKeys: () => foreign });
    return key !== undefined && sees(caller, key) ? key : "unknown_key";
  };

  const find = (secret: string, keys: KeyStore): StoredKey | undefined => {
    try {
      const found = lookUp(secret, secretDigest, keys);
      return found && store.keyById(found.id);
    } catch (error) {
      // The admin API has an error of its own for what the store cannot do.
      throw error instanceof StoreUnavailableError ? error.cause : error;
    }
  };

  const findMeant = ({ key, presented }: ExplainCheckRequest, caller: Caller) => {
    if (key === "") return "no_credential";
    if (presented || isSecret(key) || isToken(key)) return findPresented(key, caller);
    return findNamed(key, { byId: store.keyById, byDigest: store.keyByDigest, byStart: store.keysByStart }, caller);
  };

  return {
    explainCheck(request, context) {
      const caller = callerOf(context);
      const nowMs = request.at === undefined ? Date.now() : timestampMs(request.at);
      const credential = findMeant(request, caller);
      const question: Question = { ...destinationOf(request), address: addressOf(request, ports), credential };
      const explanation = explain(question, nowMs, policy, rates);
      const key = typeof credential === "string" ? undefined : credential;
      const [flaw, presented] = [flawOf(request.key), presentedWords(request, key)];
      const facts = { question, explanation, key, presented, flaw, graph: policy.scopes };
      return {
        ...explanationMessage({ ...facts, callerTenant: caller.tenant }),
        notes: notesOn(request, key, nowMs, ports),
        ...(key && { key: keyMessage(key, nowMs) }),
        at: timestampFromMs(nowMs),
      };
    },

    verifyKey(request, context) {
      const nowMs = Date.now();
      const found = findPresented(request.key, callerOf(context));
      const place = placeOf(request, policy);
      // In the order of the data plane: a closed route is closed to every key, whether or not it is known.
      if ("allowed" in place) return refusal(place, typeof found === "string" ? undefined : found, nowMs);
      if (typeof found === "string") return refusal({ ...deny(found), flaw: flawOf(request.key) }, undefined, nowMs);
      const target = { method: request.method, path: place.path, address: request.ip || undefined };
      const judge = (rule: Rule, take: RateLimiter["take"]) =>
        decide(target, rule, found, nowMs, { scopes: policy.scopes, rates: { take } });
      const ofRoute = judge(place.rule, rates.peek);
      // What the route lets in is judged by the caller's own scopes, and counted only where those are there as well.
      const isLetIn = ofRoute.allowed || ofRoute.reason === "rate_limited";
      const asked: Rule = { ...place.rule, scopes: request.scopes, match: "all" };
      const decision = isLetIn ? judge(asked, rates.take) : ofRoute;
      if (!decision.allowed) return refusal(decision, found, nowMs);
      const { reason, scopes } = decision;
      return { valid: true, reason, httpStatus: 200, key: keyMessage(found, nowMs), scopes: [...scopes] };
    },
  };
}

/** Asks for a key, and for nothing more. */
const ANY_KEY = plainRule("authenticated", "");

/** What a key is to open. Without a path no route is asked; and where everybody is let in, the key is judged all the same. */
function placeOf(request: VerifyKeyRequest, policy: Policy): Place | Denied {
  if (request.path === "") return { path: "", rule: ANY_KEY };
  const place = findPlace(destinationOf(request), policy);
  if ("allowed" in place || place.rule.access !== "public") return place;
  return { ...place, rule: { ...place.rule, access: "authenticated" } };
}

/** Where a described request goes. Its path is what was sent, to the byte. */
function destinationOf(
  request: Pick<ExplainCheckRequest, "method" | "path" | "host"> &
    Partial<Pick<ExplainCheckRequest, "contextExtensions">>,
): Destination {
  const { method, path: target, host: authority, contextExtensions = {} } = request;
  const extensions = Object.entries(contextExtensions).map(([name, value]) => ({ name, value }));
  return {
    method,
    authority,
    target,
    bytesKnown: true,
    extensions: extensions.filter(({ name }) => isOwnExtension(name)),
  };
}

function refusal(denied: Denied, key: StoredKey | undefined, nowMs: number) {
  const { reason, scopes = [], taken } = denied;
  return {
    valid: false,
    reason,
    httpStatus: REASONS[reason].status,
    description: sentenceOf(denied),
    ...(key && { key: keyMessage(key, nowMs) }),
    scopes: [...scopes],
    retryAfterSeconds: BigInt(taken?.nextInSeconds ?? 0),
  };
}

const NO_TRUSTED_HOPS = ", since client_address.trusted_hops is 0";

function presentedWords({ key }: ExplainCheckRequest, found: StoredKey | undefined): string {
  if (key === "") return "none";
  if (isSecret(key) || isToken(key)) return "a whole key";
  return found === undefined ? "a text that is no key" : "a key that is named, taken as presented";
}

/** The client's address: where proxies are trusted and their header is told, by that, as the data plane takes it. */
function addressOf({ ip, headers }: ExplainCheckRequest, { trustedHops }: KeyCheckPorts): string | undefined {
  const value = headers[FORWARDED_FOR];
  if (trustedHops === 0 || value === undefined) return ip || undefined;
  return clientAddress({ headers: [{ name: FORWARDED_FOR, value }], sourceAddress: undefined }, trustedHops);
}

/** What an explanation cannot know, or does not look at. */
function notesOn(
  { headers }: ExplainCheckRequest,
  key: StoredKey | undefined,
  nowMs: number,
  { servesChecks, trustedHops }: KeyCheckPorts,
): string[] {
  const notes = Object.keys(headers)
    .filter((name) => trustedHops === 0 || name !== FORWARDED_FOR)
    .map((name) => `the header ${shown(name)} does not count${name === FORWARDED_FOR ? NO_TRUSTED_HOPS : ""}`);
  if (key === undefined) return notes;
  if (nowMs < key.createdAtMs) {
    notes.push(`the key was made on ${timeOf(key.createdAtMs)}, after the moment that is asked about`);
  }
  if (key.rateLimit !== undefined && !servesChecks) {
    notes.push("the process that serves checks counts the rate limit; this one does not know the count");
  }
  return notes;
}
