import { Code } from "@connectrpc/connect";
import { AdminKeyService } from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { AuditService } from "../gen/keyward/admin/v1/audit_service_pb.ts";
import { KeyService } from "../gen/keyward/admin/v1/key_service_pb.ts";
import { OwnerService } from "../gen/keyward/admin/v1/owner_service_pb.ts";
import type { KeysAmong } from "../store/keys.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";

/** Whose tenant counts. */
type Bound = Pick<Caller, "tenant">;

/** Every method of these keeps to the tenant of its caller. A service that is not here has nothing for one who is bound. */
const KEEPING_TO_TENANTS: ReadonlySet<string> = new Set(
  [KeyService, OwnerService, AdminKeyService, AuditService].map(({ typeName }) => typeName),
);

/** What those may call who manage the keys of one owner. What an administrator has narrowed or disabled stays so. */
const OPEN_TO_OWNERS: ReadonlySet<string> = new Set(
  ["createKey", "getKey", "listKeys", "rotateKey", "revokeKey", "disableKey"].map(
    (name) => `${KeyService.typeName}.${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
  ),
);

/** Throws PERMISSION_DENIED where a caller who is bound to an owner calls a method that is about more than its keys. */
export function refuseBeyondOwnKeys(method: string, { owner }: Pick<Caller, "owner">): void {
  if (owner === undefined || OPEN_TO_OWNERS.has(method)) return;
  throw apiError(Code.PermissionDenied, "OWNER_BOUND", `${method} is closed to those who manage the keys of ${owner}`);
}

/** Throws PERMISSION_DENIED where a caller who is bound to a tenant calls a service that is about the whole program. */
export function refuseWholeProgram(service: string, { tenant }: Bound): void {
  if (tenant === undefined || KEEPING_TO_TENANTS.has(service)) return;
  const message = `${service} is closed to admin keys that are bound to a tenant`;
  throw apiError(Code.PermissionDenied, "TENANT_BOUND", message);
}

/**
 * Whether a record is there for a caller: who is bound to a tenant sees what belongs to it, and nothing without tenant. The
 * same goes for a call that is about one tenant.
 */
export function sees(
  { tenant, owner, within }: Pick<Caller, "tenant" | "owner" | "within">,
  record: { readonly tenant: string | undefined; readonly owner?: string | undefined },
): boolean {
  // The owner of the same name in another tenant, or in none, is another one.
  if (owner !== undefined && (record.owner !== owner || record.tenant !== tenant)) return false;
  return (tenant === undefined || record.tenant === tenant) && (within === undefined || record.tenant === within);
}

/** What `sees` lets through, for the store: who is bound to an owner without tenant sees only keys without tenant. */
export function seenBy({ tenant, owner, within }: Pick<Caller, "tenant" | "owner" | "within">): KeysAmong {
  return { owner, tenant: tenant ?? within ?? (owner === undefined ? undefined : null) };
}

/**
 * The tenant that a request is about, by what it says in its field of that name; undefined: none, or in a list all. A caller
 * who is bound to a tenant need not name it, and gets PERMISSION_DENIED for any other, in the same words whether or not
 * there is one.
 */
export function tenantMeant(named: string, { tenant, owner }: Pick<Caller, "tenant" | "owner">): string | undefined {
  if (owner !== undefined && tenant === undefined && named !== "") {
    const message = `you manage the keys of ${owner}, which is in no tenant`;
    throw apiError(Code.PermissionDenied, "OTHER_TENANT", message);
  }
  if (tenant === undefined) return named === "" ? undefined : named;
  if (named !== "" && named !== tenant) {
    const message = `this admin key is bound to the tenant ${tenant} and sees no other`;
    throw apiError(Code.PermissionDenied, "OTHER_TENANT", message);
  }
  return tenant;
}

/**
 * The owner that a request is about, by what it says in its field of that name. A caller who is bound to an owner need not
 * name it, and gets PERMISSION_DENIED for any other.
 */
export function ownerMeant(named: string, { owner }: Pick<Caller, "owner">): string {
  if (owner === undefined || named === "") return owner ?? named;
  if (named === owner) return owner;
  throw apiError(Code.PermissionDenied, "OTHER_OWNER", `you manage the keys of ${owner}, and of no other owner`);
}
