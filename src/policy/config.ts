/** What a route does with a request: lets it through unseen, asks for a valid key, or refuses it. */
export type Access = "public" | "authenticated" | "deny";

/** Whether one of the scopes asked for is enough. */
export type Match = "any" | "all";

/**
 * One entry of `routes` as it is written in the configuration. Says `access`, or what a key must have beyond being valid:
 * `scopes`, `tenant`, `owner`.
 */
export interface RouteConfig {
  readonly path: string;
  readonly host?: string | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly access?: Access | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly match?: Match | undefined;
  /** Whose keys open: those of a tenant, of the one that a segment of the path names (`{name}`), or of any (`*`). */
  readonly tenant?: string | undefined;
  /**
   * As `tenant`, without `*`; a segment's name stands for all that follows the kind, or its end: `project/{p}`. Without
   * `tenant` beside it, of the owner that has none.
   */
  readonly owner?: string | undefined;
  /** A signed key goes on to the upstream, which may verify it by itself. */
  readonly forward_credential?: boolean | undefined;
  /** Instead of the program's own `stale`, here. */
  readonly stale?: StaleConfig | undefined;
}

/** What is done where nobody can tell whether what is known of keys is up to date. */
export interface StaleConfig {
  /** For so many milliseconds it is still served; 0: not at all. */
  readonly serve_for: number;
  readonly then?: "deny" | undefined;
}

/** What is said of one scope. */
export interface ScopeConfig {
  /** For people. */
  readonly description?: string | undefined;
  /** Scopes that come with it: defined ones, or with `*` as the whole last segment. */
  readonly implies?: readonly string[] | undefined;
}

/** The part of the configuration that says what each request needs. Plain data, to be handed to every check thread. */
export interface PolicyConfig {
  readonly routes: readonly RouteConfig[];
  /** For what no route matches. Unset: `deny` as soon as there are routes, `authenticated` without any. */
  readonly defaultAccess?: Access | undefined;
  /** The scopes there are, by name. Unset: any text of the form of a scope is one. */
  readonly scopes?: Readonly<Record<string, ScopeConfig>> | undefined;
}

/** What is wrong with one route. `field` is a key of RouteConfig, or undefined where the route as a whole is wrong. */
export interface PolicyProblem {
  readonly route: number;
  readonly field: keyof RouteConfig | undefined;
  readonly message: string;
}
