import type { Access, Match } from "./config.ts";

/** What one request needs, found by its route. */
export interface Rule {
  readonly access: Access;
  /** Asked for beyond a valid key. Empty: a valid key is enough. */
  readonly scopes: readonly string[];
  readonly match: Match;
  /** Where the rule stands, for logs: the pattern of its route, `default_access` or `context_extensions`. */
  readonly route: string;
}
