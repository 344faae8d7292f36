import type { Explanation, Question, StepName } from "../../check/explain.ts";
import { REASONS } from "../../check/reason.ts";
import { formatDuration } from "../../config/duration.ts";
import type { Flaw } from "../../key/flaw.ts";
import type { Rule } from "../../policy/rule.ts";
import type { ScopeGraph } from "../../policy/scope-graph.ts";
import type { StoredKey } from "../../store/key-row.ts";
import { bindingWords } from "./binding-words.ts";
import { changeOfScopes } from "./scope-change.ts";
import { command, listed, shown, timeOf } from "./wording.ts";

/** What the words of a step are made of. */
export interface StepFacts {
  readonly question: Question;
  readonly explanation: Explanation;
  /** The key, where there is one. */
  readonly key: StoredKey | undefined;
  /** How the request names the key, or that it names none. */
  readonly presented: string;
  /** What may have happened to a key that is malformed. */
  readonly flaw: Flaw | undefined;
  readonly graph: ScopeGraph;
  /** The tenant to which the caller is bound; undefined: none. The names of others are not told. */
  readonly callerTenant: string | undefined;
}

/** What is said of a step. */
export interface StepWords {
  readonly required: string;
  readonly present: string;
  /** A sentence for a step that passed. */
  readonly passed: string;
  /** A sentence for one that failed. */
  readonly failed: string;
  /** What would make it pass. */
  readonly change: string;
}

type WordsOf = (facts: StepFacts) => StepWords;
type WordsOfKey = (key: StoredKey, facts: StepFacts) => StepWords;

/** What there is to say of each step. One that was not reached needs no more than `required`, as far as it is known. */
export const STEP_WORDS: Readonly<Record<StepName, WordsOf>> = {
  method: ({ question: { method } }) => ({
    required: "a method in upper case, not CONNECT",
    present: shown(method),
    passed: "The method can be judged.",
    failed: "The method cannot be judged: it is not in upper case, or is CONNECT.",
    change: "send a method in upper case, such as GET",
  }),
  host: ({ question: { authority = "" } }) => ({
    required: "a host that can be read in one way",
    present: authority === "" ? "none" : shown(authority),
    passed: "The host can be judged.",
    failed:
      authority === ""
        ? "A route asks for a host, and the request names none."
        : `${REASONS.ambiguous_host.description}.`,
    change: authority === "" ? "name the host of the request" : "send a plain host name, at most with a port",
  }),
  path: ({ question: { target = "" } }) => ({
    required: "a path that can be read in one way",
    present: shown(target),
    passed: "The path can be judged.",
    failed: `${REASONS.ambiguous_path.description}.`,
    change: 'send the path without "//", "\\", ";", "#", "." and ".." segments and escapes of such characters',
  }),
  route: ({ explanation: { decision } }) => ({
    required: "a route that lets keys or everybody in",
    present: decision.rule === undefined ? "no rule that can be understood" : routeWords(decision.rule),
    passed: decision.reason === "public" ? "The route lets everybody in; no key is judged." : "The route lets keys in.",
    ...(decision.rule === undefined
      ? {
          failed: "The context extensions of the route are unknown, malformed or contradict each other.",
          change: "mend the keyward.* entries in the context_extensions of Envoy's route and virtual host",
        }
      : closedWords(decision.rule)),
  }),
  credential: ({ presented, flaw, explanation: { decision } }) => ({
    required: "one key, whole",
    present: presented,
    passed: "One key is presented.",
    ...(decision.reason === "no_credential"
      ? { failed: "No key is presented.", change: "present a key" }
      : {
          failed: `What is presented is no key: it was ${flaw ?? "truncated or mistyped"}.`,
          change: "present the key as it was shown when it was made; if it is lost, rotate it or make another",
        }),
  }),
  known: ({ key }) => ({
    required: "a key of this Keyward",
    present: key === undefined ? "none" : `${key.id} (${key.start}, ${shown(key.name)})`,
    passed: "The key is known.",
    failed: "No key has this secret.",
    change: "present a key of this Keyward; `keyward keys list` names those there are",
  }),
  "not revoked": ofKey((key) => ({
    required: "not revoked",
    present:
      key.revokedAtMs === undefined
        ? "not revoked"
        : `revoked on ${timeOf(key.revokedAtMs)} by ${key.revokedBy}${key.revokeReason ? `: ${shown(key.revokeReason)}` : ""}`,
    passed: "The key is not revoked.",
    failed: `The key was revoked on ${timeOf(key.revokedAtMs)}.`,
    change: `a revoked key is refused for good: ${instead(key)}`,
  })),
  "not disabled": ofKey((key) => ({
    required: "not disabled",
    present: key.disabledAtMs === undefined ? "not disabled" : `disabled on ${timeOf(key.disabledAtMs)}`,
    passed: "The key is not disabled.",
    failed: `The key was disabled on ${timeOf(key.disabledAtMs)}.`,
    change: command("keys enable", key.id),
  })),
  "owner not disabled": ofKey((key) => ({
    required: "an owner that is not disabled, or none",
    present: key.owner === undefined ? "no owner" : `${key.owner}, ${key.ownerLimits?.disabled ? "" : "not "}disabled`,
    passed: "The owner of the key is not disabled.",
    failed: `The owner ${key.owner} is disabled, and so are all its keys.`,
    change: command("owners enable", key.owner ?? "", ...(key.tenant === undefined ? [] : ["--tenant", key.tenant])),
  })),
  "not expired": ofKey((key) => {
    const { expiresAtMs, graceEndsAtMs } = key;
    const ends = [expiresAtMs, graceEndsAtMs].filter((ms) => ms !== undefined);
    const end = ends.length === 0 ? undefined : Math.min(...ends);
    const inGrace = graceEndsAtMs !== undefined && graceEndsAtMs === end;
    const what = inGrace ? "grace period after its rotation ends" : "key ends";
    return {
      required: "a moment before its end",
      present: end === undefined ? "never ends" : `the ${what} on ${timeOf(end)}`,
      passed: "The key has not expired.",
      failed: inGrace
        ? `The grace period of the key after its rotation ended on ${timeOf(end)}.`
        : `The key expired on ${timeOf(end)}.`,
      change: inGrace ? instead(key) : `${command("keys update", key.id, "--expires-in")} 90d`,
    };
  }),
  "valid already": ofKey((key) => ({
    required: "a moment from its beginning on",
    present: key.notBeforeMs === undefined ? "valid from the start" : `valid from ${timeOf(key.notBeforeMs)} on`,
    passed: "The key is valid already.",
    failed: `The key is valid from ${timeOf(key.notBeforeMs)} on.`,
    change: `wait until then, or ${command("keys update", key.id, "--not-before", "")}`,
  })),
  "from this address": ofKey((key, { question: { address } }) => ({
    required: key.cidrs.length === 0 ? "any address" : `an address in ${key.cidrs.join(" ")}`,
    present: address ?? "unknown",
    passed: "The key opens from this address.",
    failed:
      address === undefined
        ? "The key opens from some networks only, and the address is not known."
        : `The key does not open from ${address}.`,
    change:
      address === undefined
        ? "name the client's address; for requests, look at client_address.trusted_hops"
        : command("keys update", key.id, "--cidr", [...key.cidrs, address].join(",")),
  })),
  "of this tenant": ofKey((key, facts) => bindingWords("tenant", key, facts)),
  "of this owner": ofKey((key, facts) => bindingWords("owner", key, facts)),
  "with this method": ofKey((key, { question: { method } }) => ({
    required: key.methods.length === 0 ? "any method" : `one of ${key.methods.join(" ")}`,
    present: shown(method),
    passed: "The key opens with this method.",
    failed: `The key does not open with ${shown(method)}.`,
    change: command("keys update", key.id, "--method", [...key.methods, method].join(",")),
  })),
  "on this path": ofKey((key, { explanation: { place } }) => {
    const path = place?.path ?? "";
    const opened = [...key.paths, `=${path}`].flatMap((each) => ["--path", each]);
    return {
      required: key.paths.length === 0 ? "any path" : `a path under ${key.paths.map(shown).join(" ")}`,
      present: shown(path),
      passed: "The key opens on this path.",
      failed: `The key does not open on ${shown(path)}.`,
      change: command("keys update", key.id, ...opened),
    };
  }),
  scopes: ofKey((key, { explanation: { decision }, graph }) => {
    const { rule, scopes = [] } = decision;
    const asked = rule?.scopes ?? [];
    const how = asked.length < 2 ? "" : rule?.match === "all" ? "all of " : "one of ";
    const isMissing = (scope: string) => !graph.grants(scopes, scope);
    const missing = rule?.match === "all" ? asked.filter(isMissing) : asked;
    return {
      required: asked.length === 0 ? "no scope" : how + asked.join(" "),
      present: listed(scopes, "no scope"),
      passed: asked.length === 0 ? "The route asks for no scope." : "The key grants what the route asks for.",
      failed: `The key does not grant ${rule?.match === "all" ? missing.join(" ") : how + asked.join(" ")}.`,
      change: changeOfScopes(key, missing, rule?.match ?? "any", graph),
    };
  }),
  "rate limit": ofKey((key, { explanation: { decision } }) => {
    const { rateLimit } = key;
    const { taken } = decision;
    const wait = `${taken?.nextInSeconds ?? 0} s`;
    return {
      required: rateLimit === undefined ? "no limit" : `${rateLimit.requests} in ${formatDuration(rateLimit.windowMs)}`,
      present:
        taken === undefined ? "" : taken.allowed ? `${taken.remaining} more after this one` : `used up for ${wait}`,
      passed: rateLimit === undefined ? "The key has no rate limit." : "The rate limit of the key is not used up.",
      failed: `The rate limit of the key is used up; in ${wait} one more request is allowed.`,
      change: `wait ${wait}, or ${command("keys update", key.id, "--rate-limit")} REQUESTS/WINDOW`,
    };
  }),
};

/** Words about a key that is there. */
function ofKey(words: WordsOfKey): WordsOf {
  return (facts) => (facts.key === undefined ? NOTHING : words(facts.key, facts));
}

const NOTHING: StepWords = { required: "", present: "", passed: "", failed: "", change: "" };

function instead({ successor }: StoredKey): string {
  return successor === undefined ? "make another with `keyward keys create`" : `use its successor ${successor}`;
}

function routeWords({ route, access }: Rule): string {
  const words = { public: "everybody", authenticated: "keys", deny: "nobody" };
  return `${shown(route)}, which lets ${words[access]} in`;
}

function closedWords({ route }: Rule): Pick<StepWords, "failed" | "change"> {
  if (route === "default_access") {
    return {
      failed: "No route matches, and what no route matches is closed.",
      change: "add a route for this method, host and path to the configuration",
    };
  }
  return {
    failed: `The route ${shown(route)} is closed.`,
    change: `open the route ${shown(route)}, or put another before it`,
  };
}
