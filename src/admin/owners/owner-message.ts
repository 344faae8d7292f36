import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Owner, OwnerSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import type { StoredOwner } from "../../store/owners.ts";
import { etagOf } from "../etag.ts";
import { optionalTime } from "../keys/key-message.ts";

/** A stored owner as the API shows it. `keyCount` is how many of its keys are not revoked. */
export function ownerMessage(owner: StoredOwner, keyCount: number): Owner {
  return create(OwnerSchema, {
    owner: owner.name,
    tenant: owner.tenant ?? "",
    displayName: owner.displayName,
    scopes: [...(owner.scopes ?? [])],
    limitScopes: owner.scopes !== undefined,
    disabled: owner.disabled,
    ...optionalTime("disabledAt", owner.disabledAtMs),
    keyCount: BigInt(keyCount),
    createdAt: timestampFromMs(owner.createdAtMs),
    createdBy: owner.createdBy,
    updatedAt: timestampFromMs(owner.updatedAtMs),
    revision: BigInt(owner.revision),
    etag: etagOf(owner),
  });
}
