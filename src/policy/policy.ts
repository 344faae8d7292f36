import { readHost } from "../check/host.ts";
import { isJudgeableMethod } from "../check/method.ts";
import { isScope, isWildcard } from "../key/scope.ts";
import { type Belonging, type Binding, parseBinding } from "./binding.ts";
import type { PolicyConfig, PolicyProblem, RouteConfig } from "./config.ts";
import { type CompiledRoute, routesOf, ruleOfAll } from "./match.ts";
import { type PatternForms, parsePattern } from "./pattern.ts";
import { plainRule, type Rule } from "./rule.ts";
import { compileScopes, type ScopeGraph, type ScopeProblem } from "./scope-graph.ts";

/** Finds the rule for a request. */
export interface Policy {
  /** `path` comes from `readPath`, `host` from `readHost`. Always finds one: in the end `default_access`. */
  ruleFor(method: string, host: string, path: string): Rule;
  /** Whether a request that names no host could be meant for one that a route asks for. */
  needsHost(method: string, path: string): boolean;
  readonly scopes: ScopeGraph;
}

/** What is wrong with the configuration of a policy. */
export interface PolicyProblems {
  readonly problems: readonly PolicyProblem[];
  readonly scopeProblems: readonly ScopeProblem[];
}

/**
 * Compiles routes into a policy, or lists everything that is wrong with them.
 *
 * The first route that matches wins. A route that opens (`access: public`) matches exactly; one that asks or denies also
 * matches in another ASCII case, with one trailing slash, and with any character escaped: a request must not slip past
 * it into a weaker rule by a spelling that the upstream reads as the same path. Where a later route matches such a spelling
 * to the letter, both must be satisfied: neither may be slipped past.
 */
export function compilePolicy(config: PolicyConfig): { readonly policy: Policy } | PolicyProblems {
  const problems: PolicyProblem[] = [];
  const routes: CompiledRoute[] = [];
  const scopes = compileScopes(config.scopes ?? {});
  const defined = "graph" in scopes ? new Set(scopes.graph.defined) : new Set<string>();
  for (const [index, route] of config.routes.entries()) {
    const report: Report = (field, message) => problems.push({ route: index, field, message });
    for (const scope of route.scopes ?? []) {
      if (defined.size > 0 && isScope(scope) && !defined.has(scope))
        report("scopes", `"${scope}" is not among the scopes`);
    }
    const compiled = compileRoute(route, report);
    if (compiled === undefined) continue;
    const twin = routes.findIndex((earlier) => differsOnlyInLooseness(earlier, compiled));
    if (twin !== -1) {
      const message = `differs from routes[${twin}] only in case, escapes or a trailing slash, which what asks does not tell apart`;
      problems.push({ route: index, field: "path", message });
    }
    routes.push(compiled);
  }
  if (problems.length > 0 || "problems" in scopes) {
    return { problems, scopeProblems: "problems" in scopes ? scopes.problems : [] };
  }
  const access = config.defaultAccess ?? (config.routes.length > 0 ? "deny" : "authenticated");
  const fallback = plainRule(access, "default_access");
  return {
    policy: {
      ruleFor: (method, host, path) => ruleOfAll(routesOf(routes, method, host, path)) ?? fallback,
      scopes: scopes.graph,
      needsHost: (method, path) => routesOf(routes, method, undefined, path).some(({ host }) => host !== undefined),
    },
  };
}

/** The policy of a configuration that has been judged. Throws where it is not sound after all: it was not judged. */
export function soundPolicy(config: PolicyConfig): Policy {
  const compiled = compilePolicy(config);
  if ("problems" in compiled) throw new Error("the policy was not judged before it was handed to a thread");
  return compiled.policy;
}

type Report = (field: keyof RouteConfig | undefined, message: string) => void;

function compileRoute(route: RouteConfig, report: Report): CompiledRoute | undefined {
  let sound = true;
  const fail: Report = (field, message) => {
    sound = false;
    report(field, message);
  };
  const pattern = parsePattern(route.path);
  if (typeof pattern === "string") fail("path", `"${route.path}" ${pattern}`);
  const host = route.host === undefined ? undefined : readHost(route.host);
  if (route.host !== undefined && (host === undefined || host === "")) {
    fail("host", `"${route.host}" must be a host name or IP literal, without wildcards`);
  }
  for (const method of route.methods ?? []) {
    if (!isJudgeableMethod(method)) fail("methods", `"${method}" must be a method name in upper case, and not CONNECT`);
  }
  if (route.methods?.length === 0) fail("methods", "must name at least one method; leave it out for any");
  for (const scope of route.scopes ?? []) {
    if (!isScope(scope) || isWildcard(scope)) fail("scopes", `"${scope}" must be a scope without "*"`);
  }
  const tenant = compileBinding("tenant", route.tenant, pattern, fail);
  const owner = compileBinding("owner", route.owner, pattern, fail);
  const access = route.access ?? (askedBy(route).length > 0 ? "authenticated" : undefined);
  const contradiction = contradictionIn(route);
  if (contradiction !== undefined) fail(...contradiction);
  if (!sound || typeof pattern === "string" || access === undefined) return undefined;
  const rule: Rule = {
    access,
    scopes: route.scopes ?? [],
    match: route.match ?? "any",
    tenant,
    owner,
    forwardCredential: route.forward_credential ?? false,
    serveStaleForMs: route.stale?.serve_for,
    route: route.path,
  };
  return { host, methods: route.methods, pattern, rule };
}

function compileBinding(
  belonging: Belonging,
  text: string | undefined,
  pattern: PatternForms | string,
  fail: Report,
): Binding | undefined {
  if (text === undefined) return undefined;
  // Where the path is wrong itself, only the form of the binding can be judged.
  const binding = parseBinding(belonging, text, typeof pattern === "string" ? undefined : pattern.names);
  if (typeof binding !== "string") return binding;
  fail(belonging, binding);
  return undefined;
}

/** What in a route asks for a valid key without saying so. */
function askedBy(route: RouteConfig): (keyof RouteConfig)[] {
  return ASKING.filter((field) => route[field] !== undefined);
}

const ASKING = ["scopes", "tenant", "owner"] as const;

function contradictionIn(route: RouteConfig): [keyof RouteConfig | undefined, string] | undefined {
  const { access, scopes, match } = route;
  const asking = askedBy(route);
  if (access === undefined && asking.length === 0) return [undefined, `says none of access, ${ASKING.join(", ")}`];
  if (scopes?.length === 0)
    return ["scopes", "must name at least one scope; for any valid key say access: authenticated"];
  if (route.forward_credential) asking.push("forward_credential");
  if (route.stale !== undefined) asking.push("stale");
  if (asking.length > 0 && access !== undefined && access !== "authenticated") {
    return ["access", `${access} contradicts ${asking.join(", ")}`];
  }
  if (match !== undefined && scopes === undefined) return ["match", "says how to match scopes, but there are none"];
  return undefined;
}

function differsOnlyInLooseness(one: CompiledRoute, other: CompiledRoute): boolean {
  if (one.host !== other.host || !overlap(one.methods, other.methods)) return false;
  return sameForm(one.pattern.loose, other.pattern.loose) && !sameForm(one.pattern.exact, other.pattern.exact);
}

function overlap(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  return one === undefined || other === undefined || one.some((method) => other.includes(method));
}

function sameForm(one: PatternForms["exact"], other: PatternForms["exact"]): boolean {
  if (one.openEnd !== other.openEnd || one.segments.length !== other.segments.length) return false;
  return one.segments.every((segment, index) => segment === other.segments[index]);
}
