/** What the bounds of a request depend on beside the request. */
export interface RuleContext {
  readonly nowMs: number;
  /** The owner to whom the caller is bound: requests mean it where they name none. Left out: they are bound to none. */
  readonly callerOwner?: string | undefined;
  /** The scopes that the configuration defines; empty: any. */
  readonly definedScopes: readonly string[];
  /** How long a key may live at the most; undefined: without end. */
  readonly maxLifetimeMs: number | undefined;
}
