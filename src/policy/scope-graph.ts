import { covers, isScope, isWildcard } from "../key/scope.ts";
import type { ScopeConfig } from "./config.ts";

/** What the configuration says of scopes: which there are, and which brings others with it. */
export interface ScopeGraph {
  /** The scopes that are defined; empty where the configuration defines none, and any will do. */
  readonly defined: readonly string[];
  /** The scopes of which any one is enough where `required` is asked for: itself, and all that imply it. */
  sufficientFor(required: string): readonly string[];
}

/** Something that is wrong with a definition. `scope` is the one that is defined. */
export interface ScopeProblem {
  readonly scope: string;
  readonly message: string;
}

/** Compiles the definitions of scopes, or lists what is wrong with them. Implications are followed to their end. */
export function compileScopes(
  definitions: Readonly<Record<string, ScopeConfig>>,
): { readonly graph: ScopeGraph } | { readonly problems: readonly ScopeProblem[] } {
  const problems: ScopeProblem[] = [];
  for (const [scope, { implies = [] }] of Object.entries(definitions)) {
    if (!isScope(scope) || isWildcard(scope)) problems.push({ scope, message: `must be a scope without "*"` });
    for (const other of implies) {
      if (!isScope(other)) problems.push({ scope, message: `implies "${other}", which is not a scope` });
      else if (!isKnown(other, definitions))
        problems.push({ scope, message: `implies "${other}", which is not defined` });
    }
    const cycle = cycleFrom(scope, definitions);
    if (cycle !== undefined) problems.push({ scope, message: `implies itself: ${cycle.join(" → ")}` });
  }
  if (problems.length > 0) return { problems };
  const defined = Object.keys(definitions);
  const known = new Map(defined.map((required) => [required, sufficient(required, definitions)]));
  return { graph: { defined, sufficientFor: (required) => known.get(required) ?? sufficient(required, definitions) } };
}

/** A wildcard may stand for scopes that are not defined; a plain scope is one of them or a mistake. */
function isKnown(scope: string, definitions: Readonly<Record<string, ScopeConfig>>): boolean {
  return isWildcard(scope) || Object.hasOwn(definitions, scope);
}

/** A way from a scope back to itself, or undefined. A wildcard that covers its own scope is no way: it says "and all". */
function cycleFrom(scope: string, definitions: Readonly<Record<string, ScopeConfig>>): readonly string[] | undefined {
  const seen = new Set<string>();
  const search = (from: string, way: readonly string[]): readonly string[] | undefined => {
    for (const next of definitions[from]?.implies ?? []) {
      if (next === scope) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = search(next, [...way, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(scope, [scope]);
}

/** From what is asked for back to all that lead there, a wildcard that covers one of them included. */
function sufficient(required: string, definitions: Readonly<Record<string, ScopeConfig>>): readonly string[] {
  const enough = new Set([required]);
  // A set that grows is walked to its new end.
  for (const reached of enough) {
    for (const [scope, { implies = [] }] of Object.entries(definitions)) {
      if (implies.some((implied) => covers(implied, reached))) enough.add(scope);
    }
  }
  return [...enough];
}
