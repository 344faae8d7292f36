import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { EventSchema, TrailSchema } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import type { StoredEvent } from "../../store/audit-trail.ts";
import type { TrailEnds } from "../../store/audit-verifier.ts";
import type { Caller } from "../caller.ts";

/** The times that a Timestamp can tell: years 1 to 9999. One that was tampered with must not hide the row that it is in. */
const [FIRST_MS, LAST_MS] = [-62_135_596_800_000, 253_402_300_799_999];

/** A stored event as the API shows it. Who is bound to a tenant cannot follow the chain, and is told nothing of it. */
export function eventMessage(
  event: StoredEvent,
  { tenant }: Pick<Caller, "tenant">,
): MessageInitShape<typeof EventSchema> {
  return {
    seq: integer(event.seq),
    revision: integer(event.revision),
    at: timestampFromMs(Math.min(Math.max(event.atMs, FIRST_MS), LAST_MS)),
    actor: event.actor,
    source: event.source,
    action: event.action,
    target: event.target,
    detail: event.detail,
    tenant: event.tenant ?? "",
    ...(tenant === undefined && { previousHash: event.previousHash, hash: event.hash }),
  };
}

/** Where the trail begins and ends. */
export function trailMessage({ start, head, revision }: TrailEnds): MessageInitShape<typeof TrailSchema> {
  return {
    startSeq: integer(start.seq),
    startHash: start.hash,
    headSeq: integer(head.seq),
    headHash: head.hash,
    revision: integer(revision),
  };
}

/** SQLite's integers reach a little farther than JavaScript's, and so may what somebody has put there. */
function integer(value: number): bigint {
  return BigInt.asIntN(64, BigInt(Math.round(value)));
}
