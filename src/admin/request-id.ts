import { createHash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { StoredKey } from "../store/key-row.ts";
import type { RequestMark } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";

/** The mark of a request that carries an id (AIP-155); undefined where it has none. */
export function markOf<Schema extends DescMessage>(
  schema: Schema,
  request: MessageShape<Schema> & { readonly requestId: string },
): RequestMark | undefined {
  if (request.requestId === "") return undefined;
  const fingerprint = createHash("sha256").update(schema.typeName).update(toBinary(schema, request)).digest();
  return { requestId: request.requestId, fingerprint };
}

/**
 * The key that an earlier request of the caller with the same id has made; undefined where there was none. Throws
 * ALREADY_EXISTS where that asked for something else.
 */
export function findEarlier(store: Store, caller: Caller, mark: RequestMark, nowMs: number): StoredKey | undefined {
  const earlier = store.requestOf(caller.name, mark.requestId, nowMs);
  if (earlier === undefined) return undefined;
  if (!earlier.fingerprint.equals(mark.fingerprint)) {
    throw apiError(Code.AlreadyExists, "REQUEST_ID_REUSED", "this request_id was used for another request");
  }
  return store.keyById(earlier.keyId);
}
