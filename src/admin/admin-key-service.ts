import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { type AdminKey, AdminKeySchema, type AdminKeyService } from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { ADMIN_PREFIX } from "../key/secret.ts";
import type { StoredAdminKey } from "../store/admin-keys.ts";
import type { Store } from "../store/store.ts";
import { isAdminScope } from "./admin-scope.ts";
import { type Caller, callerOf } from "./caller.ts";
import { apiError } from "./errors.ts";
import { optionalTime } from "./keys/key-message.ts";
import { newSecret } from "./keys/new-secret.ts";
import { type Finder, findNamed } from "./named-key.ts";
import { tenantMeant } from "./tenancy.ts";

/**
 * Makes, lists and ends admin keys; for a caller who is bound to a tenant, those that are bound to it. Requests have passed
 * the rules and callers their scope before they come here.
 */
export function createAdminKeyService(store: Store): ServiceImpl<typeof AdminKeyService> {
  const finder: Finder<StoredAdminKey> = {
    byId: store.adminKeyById,
    byDigest: store.adminKeyByDigest,
    byStart: (text, { tenant }) => store.adminKeysByStart(text, tenant ?? undefined),
  };
  return {
    createAdminKey({ name, scopes, tenant: named }, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const tenant = tenantMeant(named, caller);
      const granted = scopes.length === 0 ? caller.scopes : [...new Set(scopes)];
      refuseBeyondOwn(granted, caller, "grant");
      const { secret, ...kept } = newSecret("akey", ADMIN_PREFIX, nowMs);
      const key = store.createAdminKey({ ...kept, name, scopes: granted, tenant }, caller, nowMs);
      return { key: adminKeyMessage(key), secret };
    },

    listAdminKeys(_, context) {
      return { keys: store.listAdminKeys(callerOf(context).tenant).map(adminKeyMessage) };
    },

    revokeAdminKey({ key: name }, context) {
      const caller = callerOf(context);
      const found = findNamed(name, finder, caller);
      refuseBeyondOwn(found.scopes, caller, "end a key with");
      const revoked = store.revokeAdminKey(found.id, caller, Date.now());
      if (revoked === undefined) throw apiError(Code.NotFound, "KEY_NOT_FOUND", "no key answers to that name");
      return { key: adminKeyMessage(revoked) };
    },
  };
}

/** Nobody grants what they do not have, nor takes it from somebody who has more. */
function refuseBeyondOwn(scopes: readonly string[], caller: Caller, verb: string): void {
  const beyond = scopes.filter((scope) => !(isAdminScope(scope) && caller.scopes.includes(scope)));
  if (beyond.length === 0) return;
  const message = `you cannot ${verb} ${beyond.join(", ")}: you have ${caller.scopes.join(", ")}`;
  throw apiError(Code.PermissionDenied, "BEYOND_OWN_SCOPES", message);
}

function adminKeyMessage(key: StoredAdminKey): AdminKey {
  return create(AdminKeySchema, {
    id: key.id,
    start: key.start,
    name: key.name,
    scopes: [...key.scopes],
    createdAt: timestampFromMs(key.createdAtMs),
    createdBy: key.createdBy,
    ...optionalTime("revokedAt", key.revokedAtMs),
    revokedBy: key.revokedBy ?? "",
    tenant: key.tenant ?? "",
  });
}
