import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { CreateKeyRequest } from "../gen/keyward/admin/v1/key_service_pb.ts";

/** When a key is to end, as a request says it. */
export type Expiry = CreateKeyRequest["expiry"];

/** The time at which a key of such an expiry ends; undefined: never, or nothing was said. */
export function expiryMs(expiry: Expiry, nowMs: number): number | undefined {
  if (expiry.case === "expiresAt") return timestampMs(expiry.value);
  return expiry.case === "expiresIn" ? nowMs + durationMs(expiry.value) : undefined;
}
