import { Code } from "@connectrpc/connect";
import { AdminKeyService } from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { AuditService } from "../gen/keyward/admin/v1/audit_service_pb.ts";
import { KeyService } from "../gen/keyward/admin/v1/key_service_pb.ts";
import { OwnerService } from "../gen/keyward/admin/v1/owner_service_pb.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";

/** Whose tenant counts. */
type Bound = Pick<Caller, "tenant">;

/** Every method of these keeps to the tenant of its caller. A service that is not here has nothing for one who is bound. */
const KEEPING_TO_TENANTS: ReadonlySet<string> = new Set(
  [KeyService, OwnerService, AdminKeyService, AuditService].map(({ typeName }) => typeName),
);

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
  { tenant, within }: Pick<Caller, "tenant" | "within">,
  record: { readonly tenant: string | undefined },
): boolean {
  return (tenant === undefined || record.tenant === tenant) && (within === undefined || record.tenant === within);
}

/**
 * The tenant that a request is about, by what it says in its field of that name; undefined: none, or in a list all. A caller
 * who is bound to a tenant need not name it, and gets PERMISSION_DENIED for any other, in the same words whether or not
 * there is one.
 */
export function tenantMeant(named: string, { tenant }: Bound): string | undefined {
  if (tenant === undefined) return named === "" ? undefined : named;
  if (named !== "" && named !== tenant) {
    const message = `this admin key is bound to the tenant ${tenant} and sees no other`;
    throw apiError(Code.PermissionDenied, "OTHER_TENANT", message);
  }
  return tenant;
}
