import { Code, type ContextValues, createContextKey } from "@connectrpc/connect";
import { ADMIN_PREFIX, isSecret } from "../key/secret.ts";
import type { AdminKeys } from "../store/admin-keys.ts";
import type { Actor } from "../store/audit.ts";
import { secretDigest } from "../store/digest.ts";
import { ADMIN_SCOPES, type AdminScope } from "./admin-scope.ts";
import { apiError } from "./errors.ts";

/** Who calls the admin API, and what they may do. */
export interface Caller extends Actor {
  readonly scopes: readonly AdminScope[];
  /** The only tenant that they see. Undefined: they see all. */
  readonly tenant: string | undefined;
  /** The only tenant that the call is about; left out: whichever they see. */
  readonly within?: string;
}

/** The caller of the call in progress; undefined on what is open to everybody. */
export const kCaller = createContextKey<Caller | undefined>(undefined);

/** Whoever could open the local admin socket: they could open the database as well, so they may do all. */
export const LOCAL_CALLER: Caller = { name: "local", source: "local", scopes: ADMIN_SCOPES, tenant: undefined };

/**
 * Finds the caller by the admin key in `Authorization: Bearer` (RFC 6750 §2.1). Throws UNAUTHENTICATED, with the same
 * words for a key that is wrong, revoked or of the data plane: who guesses learns nothing.
 */
export function authenticate(authorization: string | null, source: string, store: AdminKeys): Caller {
  const secret = /^bearer +([0-9A-Za-z_]+)$/i.exec(authorization ?? "")?.[1];
  if (authorization === null) throw unauthenticated("an admin key is needed: Authorization: Bearer kwadm_…");
  const record = secret?.startsWith(`${ADMIN_PREFIX}_`) && isSecret(secret) ? find(secret, store) : undefined;
  if (record === undefined || record.revokedAtMs !== undefined) throw unauthenticated("the admin key is not valid");
  const { id, tenant } = record;
  return { name: id, source, scopes: ADMIN_SCOPES.filter((scope) => record.scopes.includes(scope)), tenant };
}

function find(secret: string, store: AdminKeys) {
  return store.adminKeyByDigest(secretDigest(secret));
}

function unauthenticated(message: string) {
  return apiError(Code.Unauthenticated, "UNAUTHENTICATED", message);
}

/** Whether a caller who was let through may still call; a stream must not outlive the admin key that opened it. */
export function isStillValid(caller: Pick<Caller, "name">, store: AdminKeys): boolean {
  if (caller.name === LOCAL_CALLER.name) return true;
  const record = store.adminKeyById(caller.name);
  return record !== undefined && record.revokedAtMs === undefined;
}

/** The caller of a call that has passed the access check. */
export function callerOf({ values }: { readonly values: ContextValues }): Caller {
  const caller = values.get(kCaller);
  if (caller === undefined) throw new Error("a method that needs a caller was left open");
  return caller;
}
