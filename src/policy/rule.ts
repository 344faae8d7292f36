import type { Binding } from "./binding.ts";
import type { Access, Match } from "./config.ts";

/** What one request needs, found by its route. */
export interface Rule {
  readonly access: Access;
  /** Asked for beyond a valid key. Empty: a valid key is enough. */
  readonly scopes: readonly string[];
  readonly match: Match;
  /** The key's tenant must agree with it. */
  readonly tenant: Binding | undefined;
  /** The key's owner must agree with it. */
  readonly owner: Binding | undefined;
  /** Whether the upstream is to see a signed key. */
  readonly forwardCredential: boolean;
  /** How stale what is known of keys may be, in milliseconds, before a request is denied. Unset: as the program is told. */
  readonly serveStaleForMs: number | undefined;
  /** Where the rule stands, for logs: the pattern of its route, `default_access` or `context_extensions`. */
  readonly route: string;
  /** Rules that must be satisfied as well: the path falls under them in another reading. Each asks for a valid key. */
  readonly also?: readonly Rule[];
}

/** A rule that says who may enter, and asks for nothing more. */
export function plainRule(access: Access, route: string): Rule {
  return {
    access,
    scopes: [],
    match: "any",
    tenant: undefined,
    owner: undefined,
    forwardCredential: false,
    serveStaleForMs: undefined,
    route,
  };
}
