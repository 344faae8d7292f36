/** What the bounds of a request depend on beside the request. */
export interface RuleContext {
  readonly nowMs: number;
  /** The scopes that the configuration defines; empty: any. */
  readonly definedScopes: readonly string[];
  /** How long a key may live at the most; undefined: without end. */
  readonly maxLifetimeMs: number | undefined;
}
