import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { Owner, OwnerService } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import type { Board } from "../../serve/threads/board.ts";
import type { OwnerFields, OwnerName, StoredOwner } from "../../store/owners.ts";
import type { Store } from "../../store/store.ts";
import { StoreError } from "../../store/store-error.ts";
import { type Caller, callerOf } from "../caller.ts";
import { enforce } from "../enforcement.ts";
import { apiError } from "../errors.ts";
import { refuseStale, staleEtag } from "../etag.ts";
import type { Grants } from "../grants.ts";
import { pageOf } from "../page.ts";
import { tenantMeant } from "../tenancy.ts";
import { newOwnerFields, updatedOwnerFields } from "./owner-fields.ts";
import { ownerMessage } from "./owner-message.ts";

/** Registers, shows, changes and forgets owners. Requests have passed the rules and callers their scope before. */
export function createOwnerService(store: Store, board: Board, grants: Grants): ServiceImpl<typeof OwnerService> {
  const messageOf = (owner: StoredOwner): Owner => ownerMessage(owner, store.standingKeysOf(owner));
  const answer = async (owner: StoredOwner) => ({ owner: messageOf(owner), ...(await enforce(board)) });
  const find = (owner: OwnerName): StoredOwner => store.ownerOf(owner) ?? notFound(owner);

  return {
    async createOwner(request, context) {
      const caller = callerOf(context);
      const owner = ownerNamed(request, caller);
      const fields = newOwnerFields(request);
      grants.judgeOwner(undefined, fields, () => store.scopesGivenTo(owner), caller);
      return answer(register(owner, fields, caller));
    },

    getOwner(request, context) {
      return { owner: messageOf(find(ownerNamed(request, callerOf(context)))) };
    },

    listOwners(request, context) {
      const caller = callerOf(context);
      const tenant = tenantMeant(request.tenant, caller);
      const { items, nextPageToken } = pageOf<StoredOwner>(request, caller, {
        tokenKey: store.identity.pageTokenKey,
        name: `owners ${tenant ?? ""}`,
        read: (after, limit) =>
          store.listOwners({ tenant, after: after === undefined ? after : ownerAt(after), limit }),
        placeOf,
      });
      return { owners: items.map(messageOf), nextPageToken };
    },

    async updateOwner(request, context) {
      const caller = callerOf(context);
      const found = find(ownerNamed(request, caller));
      refuseStale("owner", request.etag, found);
      const fields = updatedOwnerFields(found, request);
      grants.judgeOwner(found, fields, () => store.scopesGivenTo(found), caller);
      return answer(store.updateOwner(found, fields, caller, Date.now(), found.revision) ?? overtaken(found));
    },

    async deleteOwner(request, context) {
      const caller = callerOf(context);
      const found = find(ownerNamed(request, caller));
      refuseStale("owner", request.etag, found);
      const revokedKeys = store.deleteOwner(found, caller, Date.now(), found.revision) ?? overtaken(found);
      return { revokedKeys: BigInt(revokedKeys), ...(await enforce(board)) };
    },
  };

  function register(owner: OwnerName, fields: OwnerFields, caller: Caller): StoredOwner {
    try {
      return store.createOwner({ ...owner, ...fields }, caller, Date.now());
    } catch (error) {
      if (error instanceof StoreError && error.code === "conflict") throw alreadyExists(owner);
      throw error;
    }
  }

  /** Another program on the same database was faster. */
  function overtaken(owner: OwnerName): never {
    throw staleEtag("owner", find(owner));
  }
}

/** The owner that a request means. */
function ownerNamed(request: { readonly owner: string; readonly tenant: string }, caller: Caller): OwnerName {
  return { tenant: tenantMeant(request.tenant, caller), name: request.owner };
}

/** Where an owner stands in a list, as a page token keeps it: no tenant and no name holds a space. */
function placeOf({ tenant = "", name }: OwnerName): string {
  return `${tenant} ${name}`;
}

function ownerAt(place: string): OwnerName {
  const [tenant = "", name = ""] = place.split(" ");
  return { tenant: tenant || undefined, name };
}

function notFound(owner: OwnerName): never {
  throw apiError(Code.NotFound, "OWNER_NOT_FOUND", `${shown(owner)} is not registered`);
}

function alreadyExists(owner: OwnerName) {
  return apiError(Code.AlreadyExists, "OWNER_EXISTS", `${shown(owner)} is registered already`);
}

function shown({ tenant, name }: OwnerName): string {
  return tenant === undefined ? `the owner ${name}` : `the owner ${name} of the tenant ${tenant}`;
}
