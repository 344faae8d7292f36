import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { AdminKeys } from "../store/admin-keys.ts";
import type { Actor } from "../store/audit.ts";
import { ADMIN_SCOPES, type AdminScope } from "./admin-scope.ts";

/** Who calls the admin API, and what they may do. */
export interface Caller extends Actor {
  readonly scopes: readonly AdminScope[];
  /** The only tenant that they see. Undefined: they see all. */
  readonly tenant: string | undefined;
  /** The only owner whose keys they see, in that tenant or without tenant. Undefined: they see those of all. */
  readonly owner?: string | undefined;
  /** With an owner: the scopes that they may give to its keys, if the configuration says. */
  readonly grantableScopes?: readonly string[] | undefined;
  /** Until when what they have presented is good, in milliseconds since 1970; undefined: until it is revoked. */
  readonly validUntilMs?: number;
  /** Aborted once the configuration may say something else of them. */
  readonly reconsidered?: AbortSignal;
  /** The only tenant that the call is about; left out: whichever they see. */
  readonly within?: string;
}

/** The caller of the call in progress; undefined on what is open to everybody. */
export const kCaller = createContextKey<Caller | undefined>(undefined);

/** Whoever could open the local admin socket: they could open the database as well, so they may do all. */
export const LOCAL_CALLER: Caller = { name: "local", source: "local", scopes: ADMIN_SCOPES, tenant: undefined };

/**
 * Why a caller who was let through may not go on, as a sentence; undefined: they may. A stream must not outlive what opened
 * it.
 */
export function whyEnded(
  caller: Pick<Caller, "name" | "validUntilMs" | "reconsidered">,
  store: Pick<AdminKeys, "adminKeyById">,
  nowMs: number,
): string | undefined {
  if (caller.name === LOCAL_CALLER.name) return undefined;
  if (caller.reconsidered?.aborted) return "the configuration of admin_identities or oidc has changed; log in again";
  if (caller.validUntilMs !== undefined) {
    return nowMs <= caller.validUntilMs ? undefined : "the token or certificate has expired; log in again";
  }
  const record = store.adminKeyById(caller.name);
  return record === undefined || record.revokedAtMs !== undefined ? "the admin key is not valid" : undefined;
}

/** The caller of a call that has passed the access check. */
export function callerOf({ values }: { readonly values: ContextValues }): Caller {
  const caller = values.get(kCaller);
  if (caller === undefined) throw new Error("a method that needs a caller was left open");
  return caller;
}
