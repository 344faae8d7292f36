import type { KeyRecord } from "../key/record.ts";
import type { Policy } from "../policy/policy.ts";
import { type Decision, decide, decidePublic, deny, judgedOf } from "./decide.ts";
import { JUDGEMENTS, type Judged, refusedUnder } from "./judgements.ts";
import { type Destination, findPlace, type Place } from "./place.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { Reason } from "./reason.ts";

/** A request as somebody describes it, and the key that it would present. */
export interface Question extends Destination {
  /** The client's address; undefined where it is not known. */
  readonly address: string | undefined;
  /** The key that would be found, `unknown_key` where none would be, or why none is looked for. */
  readonly credential: KeyRecord | "unknown_key" | "no_credential" | "malformed_credential";
}

/** How a step of the way went. What nobody could judge any more was not reached. */
export type StepState = "passed" | "failed" | "not reached";

/** A step of the way, named for what it looks at. */
interface Step {
  readonly name: StepName;
  readonly state: StepState;
}

/** What comes of a request, and by which steps. */
export interface Explanation {
  readonly decision: Decision;
  /** All steps, in the order of judging. The first that failed is the one that gives the reason. */
  readonly steps: readonly Step[];
  /** The path in the form in which it is judged, where it can be. */
  readonly place: Place | undefined;
}

/** The steps, and for which reasons each of them fails. Every reason but a defect of ours is one step's. */
export const STEPS = [
  { name: "method", reasons: ["malformed_request"] },
  { name: "host", reasons: ["ambiguous_host"] },
  { name: "path", reasons: ["ambiguous_path"] },
  { name: "route", reasons: ["misconfigured_route", "route_denied"] },
  { name: "credential", reasons: ["no_credential", "ambiguous_credential", "malformed_credential"] },
  { name: "known", reasons: ["store_unavailable", "unknown_key"] },
  { name: "not revoked", reasons: ["key_revoked"] },
  { name: "not disabled", reasons: ["key_disabled"] },
  { name: "owner not disabled", reasons: ["owner_disabled"] },
  { name: "not expired", reasons: ["key_expired"] },
  { name: "valid already", reasons: ["key_not_yet_valid"] },
  { name: "from this address", reasons: ["address_not_allowed"] },
  { name: "of this tenant", reasons: ["tenant_mismatch"] },
  { name: "of this owner", reasons: ["owner_mismatch"] },
  { name: "with this method", reasons: ["method_not_allowed"] },
  { name: "on this path", reasons: ["path_not_allowed"] },
  { name: "scopes", reasons: ["insufficient_scope"] },
  { name: "rate limit", reasons: ["rate_limited"] },
] as const satisfies readonly { readonly name: string; readonly reasons: readonly Reason[] }[];

/** What a step is called. */
export type StepName = (typeof STEPS)[number]["name"];

/**
 * Tells what would come of a request, by the functions that judge traffic: `findPlace`, `decide` and each of its
 * judgements. Counts nothing. Throws where the steps and the decision contradict each other, which is a defect.
 */
export function explain(
  question: Question,
  nowMs: number,
  policy: Policy,
  rates: Pick<RateLimiter, "peek">,
): Explanation {
  const place = findPlace(question, policy);
  if ("allowed" in place) return explanationOf(place, undefined, undefined);
  const { path, rule } = place;
  const { method, address, credential } = question;
  if (rule.access === "public") return explanationOf(decidePublic(rule), place, undefined);
  if (typeof credential === "string") return explanationOf(deny(credential, rule), place, undefined);
  const target = { method, path, address };
  const judging = { scopes: policy.scopes, rates: { take: rates.peek } };
  const decision = decide(target, rule, credential, nowMs, judging);
  return explanationOf(decision, place, judgedOf(target, rule, credential, nowMs, policy.scopes));
}

function explanationOf(decision: Decision, place: Place | undefined, judged: Judged | undefined): Explanation {
  const deciding = STEPS.findIndex(({ reasons }) => includes(reasons, decision.reason));
  const last = decision.reason === "public" ? STEP_OF_ROUTE : deciding === -1 ? STEPS.length - 1 : deciding;
  const steps = STEPS.map(({ name, reasons }, index): Step => {
    const judgement = judged && JUDGEMENTS.find(({ reason }) => includes(reasons, reason));
    if (judged && judgement) return { name, state: refusedUnder(judgement, judged) ? "failed" : "passed" };
    if (index > last) return { name, state: "not reached" };
    return { name, state: index === deciding ? "failed" : "passed" };
  });
  const failed = steps.findIndex(({ state }) => state === "failed");
  if (failed !== deciding || (failed === -1) !== decision.allowed) {
    throw new Error(`the decision ${decision.reason} is not that of its steps: ${steps[failed]?.name ?? "all pass"}`);
  }
  return { decision, steps, place };
}

const STEP_OF_ROUTE = STEPS.findIndex(({ name }) => name === "route");

function includes(reasons: readonly string[], reason: string): boolean {
  return reasons.includes(reason);
}
