/**
 * Ends keys for good; what follows says which. Takes `@nowMs`, `@by`, `@reason` and `@revision`, and whoever runs it tells
 * the change feed of every digest that it touches.
 */
export const REVOKE_KEYS = `UPDATE keys SET revoked_at_ms = @nowMs, revoked_by = @by, revoke_reason = @reason,
  updated_at_ms = @nowMs, revision = @revision`;
