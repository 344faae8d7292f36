import {
  CreateOwnerRequestSchema,
  DeleteOwnerRequestSchema,
  GetOwnerRequestSchema,
  ListOwnersRequestSchema,
  type UpdateOwnerRequest,
  UpdateOwnerRequestSchema,
} from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { maskOf, onlyIfMasked, type Rules, rulesOf } from "../rules/rule.ts";
import { name, ownerName, required, scopeList, tenantName } from "../rules/value-rules.ts";

/** How a request names an owner. */
const named = {
  owner: (owner: string) => required(owner) ?? ownerName(owner),
  tenant: tenantName,
};

/** The fields of an owner that administrators set, in CreateOwner as in UpdateOwner. */
const ownerFields = { displayName: name, scopes: scopeList };

const UPDATABLE = ["display_name", "scopes", "limit_scopes", "disabled"];

const updateOwner: Rules<UpdateOwnerRequest> = {
  ...named,
  updateMask: maskOf(UPDATABLE),
  ...onlyIfMasked<UpdateOwnerRequest>({
    ...ownerFields,
    // Which of the two is meant cannot be told, and one of them opens.
    limitScopes: (limit, { updateMask, scopes }) =>
      !limit && updateMask?.paths.includes("scopes") && scopes.length > 0
        ? "must be true where scopes are given"
        : undefined,
  }),
};

/** The bounds of OwnerService. */
export const OWNER_RULES = [
  rulesOf(CreateOwnerRequestSchema, { ...named, ...ownerFields }),
  rulesOf(GetOwnerRequestSchema, named),
  rulesOf(ListOwnersRequestSchema, {
    pageSize: (pageSize) => (pageSize < 0 ? `${pageSize} must be >= 0` : undefined),
    tenant: tenantName,
  }),
  rulesOf(UpdateOwnerRequestSchema, updateOwner),
  rulesOf(DeleteOwnerRequestSchema, named),
];
