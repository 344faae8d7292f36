import { Code } from "@connectrpc/connect";
import type { Keys } from "../../store/keys.ts";
import type { Caller } from "../caller.ts";
import { apiError } from "../errors.ts";

/**
 * How many live keys an owner may have when those who manage their own keys make another: one for each program on each
 * machine that somebody looks after, and a small part of what a database bears from somebody whose login was stolen.
 */
export const MAX_OWN_LIVE_KEYS = 100;

/**
 * Throws RESOURCE_EXHAUSTED where a caller who manages the keys of one owner would give it one more live key than it may
 * have. An administrator may give it any number.
 */
export function refuseMoreKeys(
  store: Pick<Keys, "countLiveKeys">,
  { owner, tenant }: Pick<Caller, "owner" | "tenant">,
  nowMs: number,
): void {
  if (owner === undefined || store.countLiveKeys({ owner, tenant: tenant ?? null }, nowMs) < MAX_OWN_LIVE_KEYS) return;
  const message =
    `${owner} has ${MAX_OWN_LIVE_KEYS} live keys or more; ` +
    "revoke one that is not needed (a rotation without grace adds none), or ask an administrator to make it";
  throw apiError(Code.ResourceExhausted, "TOO_MANY_KEYS", message, { max: String(MAX_OWN_LIVE_KEYS) });
}
