import type { Flaw } from "../key/flaw.ts";
import type { KeyRecord } from "../key/record.ts";
import { stateOf } from "../key/state.ts";
import type { Rule } from "../policy/rule.ts";
import type { ScopeGraph } from "../policy/scope-graph.ts";
import { JUDGEMENTS, type Judged, refusedUnder, type Target } from "./judgements.ts";
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
  /** What may have happened to a key that is malformed. */
  readonly flaw?: Flaw | undefined;
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

/** What judging a key needs to know beside it. */
export interface Judging {
  readonly scopes: ScopeGraph;
  readonly rates: Pick<RateLimiter, "take">;
}

/**
 * Judges a request that presented a known key. The first judgement that refuses it gives the reason. Last comes the key's
 * rate limit: only what would be allowed is counted.
 */
export function decide(target: Target, rule: Rule, record: KeyRecord, nowMs: number, judging: Judging): Decision {
  const judged = judgedOf(target, rule, record, nowMs, judging.scopes);
  const { scopes } = judged;
  for (const judgement of JUDGEMENTS) {
    const refusing = refusedUnder(judgement, judged);
    if (refusing !== undefined) return deny(judgement.reason, refusing, record, scopes);
  }
  if (rule.access !== "authenticated") return deny("internal_error", rule, record, scopes);
  const taken = record.rateLimit && judging.rates.take(record.rateLimit);
  return taken === undefined || taken.allowed
    ? new Allowed(rule, record, scopes, taken)
    : deny("rate_limited", rule, record, scopes, taken);
}

/** A known key with all that it is judged by. */
export function judgedOf(target: Target, rule: Rule, record: KeyRecord, nowMs: number, graph: ScopeGraph): Judged {
  return { target, rule, record, state: stateOf(record, nowMs), nowMs, scopes: graph.effectiveScopes(record), graph };
}
