import type { CreateOwnerRequest, UpdateOwnerRequest } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import type { OwnerFields } from "../../store/owners.ts";

/** What a request to register an owner says. No scope stands twice. */
export function newOwnerFields({ displayName, scopes, limitScopes }: CreateOwnerRequest): OwnerFields {
  return { displayName, scopes: limitScopes || scopes.length > 0 ? distinct(scopes) : undefined, disabled: false };
}

/** What an owner is to be after an update. */
export function updatedOwnerFields(owner: OwnerFields, request: UpdateOwnerRequest): OwnerFields {
  const named = new Set(request.updateMask?.paths);
  // A list is named to be obeyed.
  const limits = named.has("limit_scopes") ? request.limitScopes : named.has("scopes") || owner.scopes !== undefined;
  const scopes = named.has("scopes") ? distinct(request.scopes) : (owner.scopes ?? []);
  return {
    displayName: named.has("display_name") ? request.displayName : owner.displayName,
    scopes: limits ? scopes : undefined,
    disabled: named.has("disabled") ? request.disabled : owner.disabled,
  };
}

function distinct(scopes: readonly string[]): string[] {
  return [...new Set(scopes)];
}
