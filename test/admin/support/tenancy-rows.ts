import type { World } from "./tenancy-world.ts";

/** A call that must be refused, and leave the database as it is. */
export interface Attack {
  /** Such as `KeyService/GetKey`. */
  readonly method: string;
  readonly title: string;
  /** Left out: an admin key that is bound to acme, with every scope. */
  readonly by?: keyof World["callers"];
  body(world: World): object | Promise<object>;
  /** The same about what nobody has, which must be answered with the same bytes. */
  twin?(world: World): object | Promise<object>;
  readonly refused: Refusal | ((world: World) => Refusal);
}

/** How a call was refused. */
interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

/** A call that a caller who is bound to acme may make. */
export interface Allowed {
  readonly method: string;
  readonly title: string;
  readonly by?: keyof World["callers"];
  body(world: World): object | Promise<object>;
  /** What the answer holds, among other things. */
  readonly answered: object | ((world: World) => object);
}

export const KEY_NOT_FOUND = {
  code: "not_found",
  reason: "KEY_NOT_FOUND",
  message: "no key answers to that name",
} as const;

export const OTHER_TENANT = {
  code: "permission_denied",
  reason: "OTHER_TENANT",
  message: "this admin key is bound to the tenant acme and sees no other",
} as const;

export const FOREIGN_PAGE = {
  code: "invalid_argument",
  reason: "INVALID_ARGUMENT",
  message: "page_token is not of this list: take next_page_token of its last page",
} as const;

/** The refusal of scopes that are beyond what acme may be granted. */
export function beyondGrantable(...scopes: string[]) {
  const message = `you cannot grant ${scopes.join(", ")}: grantable in the tenant acme is orders:read, billing:*`;
  return { code: "permission_denied", reason: "BEYOND_GRANTABLE", message } as const;
}

/** The refusal of a change that was thought out for another record than the one there is. */
export function staleEtag(noun: string, etag: string) {
  const message = `the ${noun} has changed since; its etag is ${etag}`;
  return { code: "aborted", reason: "STALE_ETAG", message } as const;
}
