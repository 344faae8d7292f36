import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { REASONS } from "../../check/reason.ts";
import type { KeyService } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import type { DenialRing } from "../../observe/denial-ring.ts";
import type { Store } from "../../store/store.ts";
import { callerOf } from "../caller.ts";
import { apiError } from "../errors.ts";
import { sees } from "../tenancy.ts";

/**
 * Looks denials up by the id that a refused client got, as long as the check threads of this process remember them. Who is
 * bound to a tenant finds those of its keys only, and the others in the same words as none.
 */
export function createDecisions(
  rings: readonly Pick<DenialRing, "find">[],
  store: Pick<Store, "keyById">,
): Pick<ServiceImpl<typeof KeyService>, "getDecision"> {
  return {
    getDecision({ decisionId }, context) {
      const caller = callerOf(context);
      // What has no key, or one that is gone, is no tenant's.
      const isSeen = (keyId: string) => sees(caller, { tenant: store.keyById(keyId)?.tenant });
      for (const ring of rings) {
        const found = ring.find(decisionId);
        if (found === undefined || !isSeen(found.keyId)) continue;
        const { atMs, reason, address, ...texts } = found;
        const { status: httpStatus, description } = REASONS[reason];
        const decision = {
          ...texts,
          at: timestampFromMs(atMs),
          reason,
          httpStatus,
          description,
          clientAddress: address,
        };
        return { decision };
      }
      throw apiError(Code.NotFound, "DECISION_NOT_FOUND", "no denial with that id is remembered");
    },
  };
}
