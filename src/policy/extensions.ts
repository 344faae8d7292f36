import { isScope, isWildcard } from "../key/scope.ts";
import type { Access, Match } from "./config.ts";
import type { Rule } from "./rule.ts";

/** One entry of `context_extensions` whose name begins with `keyward.`. */
export interface Extension {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads the rule that Envoy's per-route `context_extensions` carry (`CheckSettings.context_extensions`); it replaces the
 * file's. Returns undefined where an entry is unknown, malformed, there twice, or contradicts another: Envoy merges the
 * entries of virtual host and route key by key, so the one who wrote them may not see them together.
 */
export function ruleFromExtensions(extensions: readonly Extension[]): Rule | undefined {
  let access: Access | undefined;
  let match: Match | undefined;
  let scopes: readonly string[] | undefined;
  for (const { name, value } of extensions) {
    if (name === "keyward.access" && access === undefined) {
      if (value !== "public" && value !== "authenticated" && value !== "deny") return undefined;
      access = value;
    } else if (name === "keyward.match" && match === undefined) {
      if (value !== "any" && value !== "all") return undefined;
      match = value;
    } else if (name === "keyward.scopes" && scopes === undefined) {
      scopes = value.split(" ");
      if (!scopes.every((scope) => isScope(scope) && !isWildcard(scope))) return undefined;
    } else {
      return undefined;
    }
  }
  if (scopes === undefined ? match !== undefined : (access ?? "authenticated") !== "authenticated") return undefined;
  return {
    access: access ?? "authenticated",
    scopes: scopes ?? [],
    match: match ?? "any",
    route: "context_extensions",
  };
}
