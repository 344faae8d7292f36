import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { CreateKeyRequest } from "../../gen/keyward/admin/v1/key_service_pb.ts";

/** When a key is to end, as a request says it. */
export type Expiry = CreateKeyRequest["expiry"];

/** The time at which a key of such an expiry ends; undefined: never, or nothing was said. */
export function expiryMs(expiry: Expiry, nowMs: number): number | undefined {
  if (expiry.case === "expiresAt") return timestampMs(expiry.value);
  return expiry.case === "expiresIn" ? nowMs + durationMs(expiry.value) : undefined;
}

/** From when to when a key opens. */
interface Life {
  readonly notBeforeMs: number | undefined;
  readonly expiresAtMs: number | undefined;
}

/**
 * A life in whole seconds, never longer than it was. Tokens count in them: many verifiers do not read the fractions that RFC
 * 7519 §2 allows, and the key must not end at another time than its token.
 */
export function inWholeSeconds({ notBeforeMs, expiresAtMs }: Life): Life {
  return {
    notBeforeMs: notBeforeMs && Math.ceil(notBeforeMs / 1000) * 1000,
    expiresAtMs: expiresAtMs && Math.floor(expiresAtMs / 1000) * 1000,
  };
}
