import { isTenant } from "../../key/tenant.ts";

/** What a request of the REST façade is about. */
export type RestRoute = { readonly tenant: string } & (
  | { readonly action: "create" }
  | { readonly action: "list" }
  | { readonly action: "revoke"; readonly id: string }
);

/** What answers nothing, and why. `allow` are the methods that the path has, where it has any. */
export interface NoRestRoute {
  readonly status: 400 | 404 | 405;
  readonly message: string;
  readonly allow?: string;
}

/** Whether a request target, with or without a query, belongs to the façade. */
export function isRestPath(target: string): boolean {
  return /^\/api\/v1(?:[/?]|$)/.test(target);
}

const TENANT = /^\/api\/v1\/tenant\/([^/]+)\/api-keys\/(.+)$/;
const REVOKE = /^([^/]+)\/revoke$/;

/**
 * Finds what a method and a path without its query ask for. Nothing in such a path needs an escape, so none is decoded: two
 * spellings of one path are one more than a proxy in front may know of.
 */
export function restRouteOf(method: string, path: string): RestRoute | NoRestRoute {
  const [, tenant = "", rest = ""] = TENANT.exec(path) ?? [];
  const id = REVOKE.exec(rest)?.[1];
  const isKnown = rest === "create" || rest === "list" || id !== undefined;
  if (!isKnown) return { status: 404, message: "there is nothing here; try /api/v1/tenant/{tenant}/api-keys/list" };
  const allow = rest === "list" ? "GET, HEAD" : "POST";
  if (!allow.split(", ").includes(method)) {
    return { status: 405, message: `this takes ${allow.replace(", ", " or ")} only`, allow };
  }
  // What stands there instead may be a secret, so it is not repeated.
  if (!isTenant(tenant)) return { status: 400, message: "the tenant in the path is none" };
  return id === undefined ? { action: rest === "list" ? "list" : "create", tenant } : { action: "revoke", tenant, id };
}
