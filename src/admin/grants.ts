import { Code } from "@connectrpc/connect";
import type { Settings } from "../config/settings.ts";
import type { ScopeGraph } from "../policy/scope-graph.ts";
import type { OwnerFields } from "../store/owners.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";

/** What there is to know of a key in order to tell what it may be used for. */
interface OpenedByKey {
  readonly scopes: readonly string[];
  readonly inheritsScopes: boolean;
}

/** What there is to know of an owner. */
type OpenedByOwner = Pick<OwnerFields, "scopes" | "disabled">;

/**
 * Says no to callers who are bound to a tenant or an owner and would leave open more than they may grant, whoever it was
 * that opened it. In a tenant that is `tenants.<tenant>.grantable_scopes`; for one owner also what its identity says and
 * what the owner has, as far as there are such lists, and without any list nothing. Each throws PERMISSION_DENIED.
 */
export interface Grants {
  /** For whatever makes a key, changes one or lets it open again. `ownerScopes` is the list of its owner. */
  judgeKey(key: OpenedByKey, ownerScopes: readonly string[] | undefined, caller: Caller): void;
  /**
   * For whatever makes or changes an owner; `before` is undefined where it is new. `givenScopes` finds what its keys were
   * given: that is what opens once the owner holds them back no more.
   */
  judgeOwner(
    before: OpenedByOwner | undefined,
    after: OpenedByOwner,
    givenScopes: () => readonly string[],
    caller: Caller,
  ): void;
}

/** How many scopes an error names of each list; the rest is counted, so that it fits into the headers of gRPC. */
const MAX_NAMED = 10;

/** `grants` is that of the configuration's scopes, so that what a grantable scope implies is grantable too. */
export function createGrants(tenants: Settings["tenants"], { grants }: Pick<ScopeGraph, "grants">): Grants {
  const refuseBeyond = (scopes: readonly string[], grantable: readonly string[], where: string) => {
    const beyond = [...new Set(scopes)].filter((scope) => !grants(grantable, scope));
    if (beyond.length === 0) return;
    const message = `you cannot grant ${listed(beyond)}: grantable ${where} is ${listed(grantable)}`;
    throw apiError(Code.PermissionDenied, "BEYOND_GRANTABLE", message);
  };
  const refuseBeyondTenant = (scopes: readonly string[], tenant: string) =>
    refuseBeyond(scopes, tenants.get(tenant)?.grantable_scopes ?? [], `in the tenant ${tenant}`);
  return {
    judgeKey({ scopes, inheritsScopes }, ownerScopes, { tenant, owner, grantableScopes }) {
      const given = inheritsScopes ? (ownerScopes ?? []) : scopes;
      if (tenant !== undefined) refuseBeyondTenant(given, tenant);
      if (owner === undefined) return;
      const isListed = tenant !== undefined || grantableScopes !== undefined || ownerScopes !== undefined;
      if (!isListed) refuseBeyond(given, [], `for ${owner}`);
      if (grantableScopes !== undefined) refuseBeyond(given, grantableScopes, "for you");
      if (ownerScopes !== undefined) refuseBeyond(given, ownerScopes, `for ${owner}`);
    },

    judgeOwner(before, after, givenScopes, { tenant }) {
      if (tenant === undefined) return;
      // Closing is always allowed, but a list that is put up behind a closed door opens with it.
      if (after.disabled && before !== undefined && isSameList(before.scopes, after.scopes)) return;
      const letGo = before?.scopes !== undefined && after.scopes === undefined;
      const reopened = before?.disabled === true && !after.disabled;
      refuseBeyondTenant([...(after.scopes ?? []), ...(letGo || reopened ? givenScopes() : [])], tenant);
    },
  };
}

function isSameList(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  // No scope holds a space, and no list is not an empty one.
  return one?.join(" ") === other?.join(" ");
}

function listed(scopes: readonly string[]): string {
  if (scopes.length === 0) return "nothing";
  const more = scopes.length - MAX_NAMED;
  return scopes.slice(0, MAX_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
