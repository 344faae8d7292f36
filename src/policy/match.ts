import { looseForm } from "../check/path.ts";
import { matchesPattern, type PatternForms } from "./pattern.ts";
import type { Rule } from "./rule.ts";

/** A route as requests are compared with it. */
export interface CompiledRoute {
  readonly host: string | undefined;
  readonly methods: readonly string[] | undefined;
  readonly pattern: PatternForms;
  readonly rule: Rule;
}

/**
 * The routes that a path falls under, read as it is written or in any other way: the first that matches it to the letter
 * ends the list, and before that stand those that ask for something and match it in another case, with a trailing slash or
 * with characters escaped. Most often there is one. Without a host, it is taken for whichever a route asks for.
 */
export function routesOf(
  routes: readonly CompiledRoute[],
  method: string,
  host: string | undefined,
  path: string,
): readonly CompiledRoute[] {
  const found: CompiledRoute[] = [];
  let loose: string | undefined;
  for (const route of routes) {
    const { methods, pattern, rule } = route;
    if (methods !== undefined && !methods.includes(method)) continue;
    if (route.host !== undefined && host !== undefined && route.host !== host) continue;
    if (matchesPattern(pattern.exact, path)) {
      found.push(route);
      break;
    }
    if (rule.access === "public") continue;
    loose ??= looseForm(path);
    if (matchesPattern(pattern.loose, loose)) found.push(route);
  }
  return found;
}

/**
 * The rule of the routes that one path falls under; undefined where there is none. Each of them must be satisfied: which of
 * them is meant depends on how the upstream reads the path, and one that asks for less than the next must not open what
 * that one guards.
 */
export function ruleOfAll(routes: readonly CompiledRoute[]): Rule | undefined {
  const [first] = routes;
  if (first === undefined || routes.length === 1) return first?.rule;
  const closed = routes.find(({ rule }) => rule.access === "deny");
  if (closed !== undefined) return closed.rule;
  // One that lets everybody in asks for nothing.
  const also = routes
    .slice(1)
    .map(({ rule }) => rule)
    .filter(({ access }) => access !== "public");
  const forwardCredential = first.rule.forwardCredential && also.every((rule) => rule.forwardCredential);
  return also.length === 0 ? first.rule : { ...first.rule, forwardCredential, also };
}
