import { Code } from "@connectrpc/connect";
import type { RotateKeyRequest } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import type { StoredKey } from "../../store/key-row.ts";
import { apiError } from "../errors.ts";
import { expiryMs, inWholeSeconds } from "./expiry.ts";
import type { NewKeyFields } from "./key-fields.ts";

/** Time enough to hand out a new secret, short enough that nobody forgets. */
const DEFAULT_GRACE_SECONDS = 24n * 60n * 60n;

/** For a key that ends once it is quiet: what runs once a month has run by then. */
const LONGEST_WAIT_SECONDS = 30n * 24n * 60n * 60n;

/**
 * What the successor of a key is: all that the key is. Its life ends with that of the key unless the request says
 * otherwise, and in any case within the longest life that the configuration allows. Throws FAILED_PRECONDITION where it
 * would end before it begins.
 */
export function successorFields(
  key: StoredKey,
  request: RotateKeyRequest,
  maxLifetimeMs: number | undefined,
  nowMs: number,
): NewKeyFields {
  const asked = request.expiry.case === undefined ? key.expiresAtMs : expiryMs(request.expiry, nowMs);
  // The old key may be from a time in which there was no longest life.
  const latest = maxLifetimeMs === undefined ? undefined : nowMs + maxLifetimeMs;
  const endMs = asked !== undefined && latest !== undefined ? Math.min(asked, latest) : (asked ?? latest);
  const said = { notBeforeMs: key.notBeforeMs, expiresAtMs: endMs };
  const { notBeforeMs, expiresAtMs } = key.alg === undefined ? said : inWholeSeconds(said);
  if (notBeforeMs !== undefined && expiresAtMs !== undefined && notBeforeMs >= expiresAtMs) {
    throw unfit("the successor would end before the not_before of the key");
  }
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw unfit("the successor would end within this second");
  const { tenant, owner, alg, name, note, metadata, scopes, inheritsScopes, paths, methods, cidrs } = key;
  const identity = { tenant, owner, alg, name, note, metadata };
  const { rateLimit } = key;
  return { ...identity, scopes, inheritsScopes, paths, methods, cidrs, notBeforeMs, expiresAtMs, rateLimit };
}

function unfit(message: string) {
  return apiError(Code.FailedPrecondition, "KEY_STATE", message);
}

/** How long a key goes on opening beside its successor, at the most. */
export function graceSeconds({ grace, untilQuiet }: Pick<RotateKeyRequest, "grace" | "untilQuiet">): bigint {
  return grace?.seconds ?? (untilQuiet === undefined ? DEFAULT_GRACE_SECONDS : LONGEST_WAIT_SECONDS);
}

/** Until when a key goes on opening beside its successor: never past its own end. */
export function graceEnd(key: StoredKey, request: RotateKeyRequest, nowMs: number): number {
  const graceMs = Number(graceSeconds(request)) * 1000;
  return Math.min(nowMs + graceMs, key.expiresAtMs ?? Number.POSITIVE_INFINITY);
}
