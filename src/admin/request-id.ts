import { createHash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { StoredKey } from "../store/key-row.ts";
import type { RequestMark } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";
import { sees } from "./tenancy.ts";

/** The mark of a request that carries an id (AIP-155); undefined where it has none. */
export function markOf<Schema extends DescMessage>(
  schema: Schema,
  request: MessageShape<Schema> & { readonly requestId: string },
): RequestMark | undefined {
  if (request.requestId === "") return undefined;
  const bytes = toBinary(schema, { ...request, ...sortedMaps(schema, request) });
  const fingerprint = createHash("sha256").update(schema.typeName).update(bytes).digest();
  return { requestId: request.requestId, fingerprint };
}

/** The maps of a request with their entries in one order: a client may write them in another each time. */
function sortedMaps(schema: DescMessage, request: object): Record<string, unknown> {
  const values = request as Readonly<Record<string, unknown>>;
  const maps = schema.fields.filter(({ fieldKind }) => fieldKind === "map");
  return Object.fromEntries(
    maps.map(({ localName }) => [
      localName,
      Object.fromEntries(Object.entries(values[localName] ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))),
    ]),
  );
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
  const key = store.keyById(earlier.keyId);
  // Who a token or certificate is bound to is for the configuration to say, and may be another one by now.
  if (key !== undefined && !sees(caller, key)) {
    throw apiError(Code.AlreadyExists, "REQUEST_ID_REUSED", "this request_id was used for a key that you do not see");
  }
  return key;
}
