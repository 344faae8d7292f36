import { isScope, isWildcard } from "../key/scope.ts";
import { isTenant } from "../key/tenant.ts";
import type { Access, Match } from "./config.ts";
import type { Rule } from "./rule.ts";

/** One entry of `context_extensions` whose name begins with `keyward.`. */
export interface Extension {
  readonly name: string;
  readonly value: string;
}

/** Whether an entry is meant for us. In any case: one that is not ours to the letter was meant for us all the same, and denies. */
export function isOwnExtension(name: string): boolean {
  return name.toLowerCase().startsWith("keyward.");
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
  let tenant: string | undefined;
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
    } else if (name === "keyward.tenant" && tenant === undefined) {
      if (!isTenant(value)) return undefined;
      tenant = value;
    } else {
      return undefined;
    }
  }
  if (scopes === undefined && match !== undefined) return undefined;
  const asks = scopes !== undefined || tenant !== undefined;
  if (asks && access !== undefined && access !== "authenticated") return undefined;
  return {
    access: access ?? "authenticated",
    scopes: scopes ?? [],
    match: match ?? "any",
    tenant: tenant === undefined ? undefined : { literal: tenant, segment: undefined },
    owner: undefined,
    forwardCredential: false,
    serveStaleForMs: undefined,
    route: "context_extensions",
  };
}
