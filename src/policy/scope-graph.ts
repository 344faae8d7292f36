import type { KeyRecord } from "../key/record.ts";
import { covers, isScope, isWildcard } from "../key/scope.ts";
import type { ScopeConfig } from "./config.ts";

/** What the configuration says of scopes: which there are, and which brings others with it. */
export interface ScopeGraph {
  /** The scopes that are defined; empty where the configuration defines none, and any will do. */
  readonly defined: readonly string[];
  /** Whether some scopes grant one that is asked for: they cover it, or one that implies it. */
  grants(scopes: readonly string[], required: string): boolean;
  /**
   * What a key grants at this moment: what it was given, or has from its owner, cut to the list of its owner where that
   * has one. A key that inherits from an owner without a list grants nothing.
   */
  effectiveScopes(record: KeyRecord): readonly string[];
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
  const grants: ScopeGraph["grants"] = (scopes, required) => {
    // Most often the key has what is asked for, and where nothing is defined, nothing else leads there.
    if (coversAny(scopes, required)) return true;
    if (defined.length === 0) return false;
    for (const enough of known.get(required) ?? sufficient(required, definitions)) {
      if (coversAny(scopes, enough)) return true;
    }
    return false;
  };
  // Wildcards first: what one of them covers need not be named beside it.
  const named = [...Object.values(definitions).flatMap(({ implies = [] }) => implies.filter(isWildcard)), ...defined];
  return { graph: { defined, grants, effectiveScopes: createEffectiveScopes(named, grants) } };
}

const NONE: readonly string[] = [];

/** `named` are the scopes that the configuration names: what two lists both imply without naming it is among them. */
function createEffectiveScopes(named: readonly string[], grants: ScopeGraph["grants"]): ScopeGraph["effectiveScopes"] {
  // A record is replaced when anything in it changes, so that its list is made once.
  const cut = new WeakMap<KeyRecord, readonly string[]>();
  return (record) => {
    const { scopes, inheritsScopes, ownerLimits } = record;
    const most = ownerLimits?.scopes;
    if (inheritsScopes) return most ?? NONE;
    if (most === undefined) return scopes;
    const known = cut.get(record) ?? grantedByBoth(scopes, most, named, grants);
    cut.set(record, known);
    return known;
  };
}

/** The scopes that grant what two lists both grant, and nothing else. */
function grantedByBoth(
  one: readonly string[],
  other: readonly string[],
  named: readonly string[],
  grants: ScopeGraph["grants"],
): readonly string[] {
  const both = [...one.filter((scope) => grants(other, scope)), ...other.filter((scope) => grants(one, scope))];
  for (const scope of named) {
    if (!grants(both, scope) && grants(one, scope) && grants(other, scope)) both.push(scope);
  }
  return [...new Set(both)];
}

function coversAny(scopes: readonly string[], required: string): boolean {
  for (const granted of scopes) if (covers(granted, required)) return true;
  return false;
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
