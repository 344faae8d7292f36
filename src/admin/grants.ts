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
 * Says no to callers who are bound to a tenant and would leave open more than `tenants.<tenant>.grantable_scopes` allows,
 * whoever it was that opened it. Each throws PERMISSION_DENIED.
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
  const refuseBeyond = (scopes: readonly string[], tenant: string) => {
    const grantable = tenants.get(tenant)?.grantable_scopes ?? [];
    const beyond = [...new Set(scopes)].filter((scope) => !grants(grantable, scope));
    if (beyond.length === 0) return;
    const message = `you cannot grant ${listed(beyond)}: grantable in the tenant ${tenant} is ${listed(grantable)}`;
    throw apiError(Code.PermissionDenied, "BEYOND_GRANTABLE", message);
  };
  return {
    judgeKey({ scopes, inheritsScopes }, ownerScopes = [], { tenant }) {
      if (tenant !== undefined) refuseBeyond(inheritsScopes ? ownerScopes : scopes, tenant);
    },

    judgeOwner(before, after, givenScopes, { tenant }) {
      if (tenant === undefined) return;
      // Closing is always allowed, but a list that is put up behind a closed door opens with it.
      if (after.disabled && before !== undefined && isSameList(before.scopes, after.scopes)) return;
      const letGo = before?.scopes !== undefined && after.scopes === undefined;
      const reopened = before?.disabled === true && !after.disabled;
      refuseBeyond([...(after.scopes ?? []), ...(letGo || reopened ? givenScopes() : [])], tenant);
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
