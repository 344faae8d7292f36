import type { KeyRecord } from "../key/record.ts";
import type { KeyState } from "../key/state.ts";
import { agrees } from "../policy/binding.ts";
import type { Rule } from "../policy/rule.ts";
import type { ScopeGraph } from "../policy/scope-graph.ts";
import { liesUnder } from "./path.ts";
import type { Reason } from "./reason.ts";

/** What of a request a key's limits are judged by. */
export interface Target {
  readonly method: string;
  /** From `readPath`. */
  readonly path: string;
  /** The client's address; undefined where it is not known. */
  readonly address: string | undefined;
}

/** A known key and all that it is judged by. */
export interface Judged {
  readonly target: Target;
  readonly rule: Rule;
  readonly record: KeyRecord;
  /** Where the key stands at `nowMs`. */
  readonly state: KeyState;
  readonly nowMs: number;
  /** What the key grants. */
  readonly scopes: readonly string[];
  readonly graph: ScopeGraph;
}

/** One thing for which a known key is refused. */
export interface Judgement {
  readonly reason: Reason;
  readonly refuses: (judged: Judged) => boolean;
}

/**
 * Everything for which a known key is refused, in the order of judging: its life first, then where it opens, then what the
 * rule asks for. `decide` takes the first that refuses, and `explain` asks them all: there is no other list. The rate limit
 * is not among them, since asking it counts.
 */
export const JUDGEMENTS = [
  { reason: "key_revoked", refuses: ({ state }) => state === "revoked" },
  { reason: "key_disabled", refuses: ({ state }) => state === "disabled" },
  { reason: "owner_disabled", refuses: ({ record }) => record.ownerLimits?.disabled === true },
  { reason: "key_expired", refuses: ({ state }) => state === "expired" },
  { reason: "key_not_yet_valid", refuses: ({ record, nowMs }) => nowMs < (record.notBeforeMs ?? nowMs) },
  { reason: "address_not_allowed", refuses: ({ record, target }) => !opensFrom(record, target) },
  {
    reason: "tenant_mismatch",
    refuses: ({ rule: { tenant }, record, target }) => !belongs(tenant, record.tenant, target),
  },
  { reason: "owner_mismatch", refuses: ({ rule, record, target }) => !isOwners(rule, record, target) },
  { reason: "method_not_allowed", refuses: ({ record, target }) => !opensWith(record, target) },
  { reason: "path_not_allowed", refuses: ({ record, target }) => !opensAt(record, target) },
  { reason: "insufficient_scope", refuses: ({ rule, scopes, graph }) => !areEnough(scopes, rule, graph) },
] as const satisfies readonly Judgement[];

/**
 * The rule under which a judgement refuses; undefined where it does not. Where a path falls under several rules, each of
 * them must be satisfied.
 */
export function refusedUnder({ refuses }: Judgement, judged: Judged): Rule | undefined {
  if (refuses(judged)) return judged.rule;
  return judged.rule.also?.find((rule) => refuses({ ...judged, rule }));
}

function opensFrom({ networks }: KeyRecord, { address }: Target): boolean {
  return networks === undefined || (address !== undefined && networks.has(address));
}

function belongs(binding: Rule["tenant"], value: string | undefined, { path }: Target): boolean {
  return binding === undefined || agrees(binding, path, value);
}

/** The same name in another tenant is another owner: unless the rule says something of the tenant, none is meant. */
function isOwners({ owner, tenant }: Rule, record: KeyRecord, target: Target): boolean {
  if (owner === undefined) return true;
  return belongs(owner, record.owner, target) && (tenant !== undefined || record.tenant === undefined);
}

function opensWith({ methods }: KeyRecord, { method }: Target): boolean {
  return methods.length === 0 || methods.includes(method);
}

function opensAt({ paths }: KeyRecord, { path }: Target): boolean {
  if (paths.length === 0) return true;
  for (const opened of paths) if (liesUnder(path, opened)) return true;
  return false;
}

function areEnough(scopes: readonly string[], rule: Rule, graph: ScopeGraph): boolean {
  if (rule.scopes.length === 0) return true;
  const isGranted = (required: string) => graph.grants(scopes, required);
  return rule.match === "all" ? rule.scopes.every(isGranted) : rule.scopes.some(isGranted);
}
