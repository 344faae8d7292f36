import type { KeyRecord } from "../key/record.ts";
import { covers } from "../key/scope.ts";
import { stateOf } from "../key/state.ts";
import type { Rule } from "../policy/rule.ts";
import type { ScopeGraph } from "../policy/scope-graph.ts";
import { liesUnder } from "./path.ts";
import type { Reason } from "./reason.ts";

/** The answer to a request, before it is written down. */
export type Decision = Allowed | Denied;

/** A denial. What is known of rule and key goes into metadata and logs. */
export interface Denied {
  readonly allowed: false;
  readonly reason: Reason;
  readonly rule?: Rule | undefined;
  readonly record?: KeyRecord | undefined;
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

  constructor(rule: Rule, record: KeyRecord | undefined) {
    this.reason = record === undefined ? "public" : "allowed";
    this.rule = rule;
    this.record = record;
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

/** A denial for a reason. */
export function deny(reason: Reason, rule?: Rule, record?: KeyRecord): Denied {
  return { allowed: false, reason, rule, record };
}

/** Lets a request through on a public route, and only there. */
export function decidePublic(rule: Rule): Decision {
  return rule.access === "public" ? new Allowed(rule, undefined) : deny("internal_error", rule);
}

/** What of a request a key's limits are judged by. */
export interface Target {
  readonly method: string;
  /** From `readPath`. */
  readonly path: string;
  /** The client's address; undefined where it is not known. */
  readonly address: string | undefined;
}

/**
 * Judges a request that presented a known key: the key's life first, then where it opens, then what the rule asks for.
 * The first reason that applies is the answer. `scopes` says which scopes imply others.
 */
export function decide(target: Target, rule: Rule, record: KeyRecord, nowMs: number, scopes?: ScopeGraph): Decision {
  const { path, method, address } = target;
  const state = stateOf(record, nowMs);
  if (state === "revoked") return deny("key_revoked", rule, record);
  if (state === "disabled") return deny("key_disabled", rule, record);
  if (state === "expired") return deny("key_expired", rule, record);
  if (record.notBeforeMs !== undefined && nowMs < record.notBeforeMs) return deny("key_not_yet_valid", rule, record);
  if (!opensFrom(record, address)) return deny("address_not_allowed", rule, record);
  if (!opensWith(record, method)) return deny("method_not_allowed", rule, record);
  if (!opensAt(record, path)) return deny("path_not_allowed", rule, record);
  if (!hasScopes(record, rule, scopes)) return deny("insufficient_scope", rule, record);
  return rule.access === "authenticated" ? new Allowed(rule, record) : deny("internal_error", rule, record);
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

function hasScopes(record: KeyRecord, { scopes, match }: Rule, graph: ScopeGraph | undefined): boolean {
  if (scopes.length === 0) return true;
  if (match === "all") return scopes.every((required) => isGranted(record, required, graph));
  return scopes.some((required) => isGranted(record, required, graph));
}

function isGranted({ scopes }: KeyRecord, required: string, graph: ScopeGraph | undefined): boolean {
  if (graph === undefined) return coversAny(scopes, required);
  for (const enough of graph.sufficientFor(required)) if (coversAny(scopes, enough)) return true;
  return false;
}

function coversAny(scopes: readonly string[], required: string): boolean {
  for (const granted of scopes) if (covers(granted, required)) return true;
  return false;
}
