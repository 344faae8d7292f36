import type { KeyRecord } from "../key/record.ts";
import { stateOf } from "../key/state.ts";
import { agrees } from "../policy/binding.ts";
import type { Rule } from "../policy/rule.ts";
import type { ScopeGraph } from "../policy/scope-graph.ts";
import { liesUnder } from "./path.ts";
import type { RateLimiter, Taken } from "./rate-limit.ts";
import type { Reason } from "./reason.ts";

/** The answer to a request, before it is written down. */
export type Decision = Allowed | Denied;

/** A denial. What is known of rule and key goes into metadata and logs. */
export interface Denied {
  readonly allowed: false;
  readonly reason: Reason;
  readonly rule?: Rule | undefined;
  readonly record?: KeyRecord | undefined;
  /** What the key grants. There where `record` is. */
  readonly scopes?: readonly string[] | undefined;
  /** What came of counting the request. There where the key has a rate limit and nothing else stands against it. */
  readonly taken?: Taken | undefined;
}

/**
 * Leave to let a request through. Only this file can make one, and `isAllowed` tells a real one from any object that
 * looks like it: Envoy reads an answer without a status as an allow, so what may encode status 0 asks here first.
 */
class Allowed {
  readonly #made = true;
  readonly allowed = true;
  readonly reason: "allowed" | "public";
  readonly rule: Rule;
  readonly record: KeyRecord | undefined;
  /** What the key grants: its own scopes, as far as its owner has them. */
  readonly scopes: readonly string[];
  /** What came of counting the request. There where the key has a rate limit. */
  readonly taken: Taken | undefined;

  constructor(rule: Rule, record: KeyRecord | undefined, scopes: readonly string[], taken?: Taken) {
    this.reason = record === undefined ? "public" : "allowed";
    this.rule = rule;
    this.record = record;
    this.scopes = scopes;
    this.taken = taken;
  }

  static isMade(value: object): value is Allowed {
    return #made in value && value.#made;
  }
}

export type { Allowed };

/** Whether a decision was made here, by `decide` or `decidePublic`, and is to let the request through. */
export function isAllowed(decision: object): decision is Allowed {
  return Allowed.isMade(decision);
}

const NO_SCOPES: readonly string[] = [];

/** A denial for a reason. */
export function deny(
  reason: Reason,
  rule?: Rule,
  record?: KeyRecord,
  scopes?: readonly string[],
  taken?: Taken,
): Denied {
  return { allowed: false, reason, rule, record, scopes, taken };
}

/** Lets a request through on a public route, and only there. */
export function decidePublic(rule: Rule): Decision {
  return rule.access === "public" ? new Allowed(rule, undefined, NO_SCOPES) : deny("internal_error", rule);
}

/** What of a request a key's limits are judged by. */
export interface Target {
  readonly method: string;
  /** From `readPath`. */
  readonly path: string;
  /** The client's address; undefined where it is not known. */
  readonly address: string | undefined;
}

/** What judging a key needs to know beside it. */
export interface Judging {
  readonly scopes: ScopeGraph;
  readonly rates: RateLimiter;
}

/**
 * Judges a request that presented a known key: the key's life first, then where it opens, then what the rule asks for.
 * The first reason that applies is the answer. Last comes the key's rate limit: only what would be allowed is counted.
 */
export function decide(target: Target, rule: Rule, record: KeyRecord, nowMs: number, judging: Judging): Decision {
  const scopes = judging.scopes.effectiveScopes(record);
  const reason =
    reasonOfLife(record, nowMs) ?? reasonOfPlace(record, target, rule) ?? reasonOfScopes(scopes, rule, judging.scopes);
  if (reason !== undefined) return deny(reason, rule, record, scopes);
  if (rule.access !== "authenticated") return deny("internal_error", rule, record, scopes);
  const taken = record.rateLimit && judging.rates.take(record.rateLimit);
  return taken === undefined || taken.allowed
    ? new Allowed(rule, record, scopes, taken)
    : deny("rate_limited", rule, record, scopes, taken);
}

function reasonOfLife(record: KeyRecord, nowMs: number): Reason | undefined {
  const state = stateOf(record, nowMs);
  if (state === "revoked") return "key_revoked";
  if (state === "disabled") return "key_disabled";
  if (record.ownerLimits?.disabled) return "owner_disabled";
  if (state === "expired") return "key_expired";
  return record.notBeforeMs !== undefined && nowMs < record.notBeforeMs ? "key_not_yet_valid" : undefined;
}

function reasonOfPlace(record: KeyRecord, { address, method, path }: Target, rule: Rule): Reason | undefined {
  if (!opensFrom(record, address)) return "address_not_allowed";
  if (rule.tenant !== undefined && !agrees(rule.tenant, path, record.tenant)) return "tenant_mismatch";
  if (rule.owner !== undefined && !agrees(rule.owner, path, record.owner)) return "owner_mismatch";
  if (!opensWith(record, method)) return "method_not_allowed";
  return opensAt(record, path) ? undefined : "path_not_allowed";
}

function reasonOfScopes(scopes: readonly string[], rule: Rule, graph: ScopeGraph): Reason | undefined {
  if (rule.scopes.length === 0) return undefined;
  const isGranted = (required: string) => graph.grants(scopes, required);
  const enough = rule.match === "all" ? rule.scopes.every(isGranted) : rule.scopes.some(isGranted);
  return enough ? undefined : "insufficient_scope";
}

function opensFrom({ networks }: KeyRecord, address: string | undefined): boolean {
  return networks === undefined || (address !== undefined && networks.has(address));
}

function opensWith({ methods }: KeyRecord, method: string): boolean {
  return methods.length === 0 || methods.includes(method);
}

function opensAt({ paths }: KeyRecord, path: string): boolean {
  if (paths.length === 0) return true;
  for (const opened of paths) if (liesUnder(path, opened)) return true;
  return false;
}
