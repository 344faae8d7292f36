import { fields, WireReader } from "../../check/wire.ts";
import { GRPC_STATUS, grpcRefusal, type Refusal } from "../../h2/answer.ts";
import { latin1 } from "../latin1.ts";

/** The full name of the service that Envoy calls: the only one whose health is told. */
export const AUTHORIZATION = "envoy.service.auth.v3.Authorization";

const UNKNOWN = grpcRefusal(GRPC_STATUS.notFound, "unknown service");
const MALFORMED = grpcRefusal(GRPC_STATUS.internal, "not a HealthCheckRequest");

/** HealthCheckResponse: `status`, field 1, is an enum of one byte (grpc/health/v1/health.proto). */
const SERVING = Uint8Array.of(0x08, 1);
const NOT_SERVING = Uint8Array.of(0x08, 2);

/** HealthCheckRequest: `service`, field 1. A field that stands twice counts as it stands last. */
const REQUEST = fields([], [1]);

/**
 * Answers `grpc.health.v1.Health/Check` for the server as a whole (`""`) and for the service that Envoy calls; NOT_FOUND for
 * any other. Read and written by hand: each check thread would have to load protobuf-es for these two messages alone.
 */
export function answerHealthCheck(message: Uint8Array, isServing: boolean): Uint8Array | Refusal {
  const service = serviceIn(message);
  if (service === undefined) return MALFORMED;
  if (service !== "" && service !== AUTHORIZATION) return UNKNOWN;
  return isServing ? SERVING : NOT_SERVING;
}

/** Undefined where the message is none. What anybody can send is no error of ours, and not worth a line in the log. */
function serviceIn(message: Uint8Array): string | undefined {
  const reader = new WireReader(REQUEST);
  reader.begin(message, 0, message.length);
  let service = "";
  try {
    while (reader.next()) service = latin1(message, reader.start, reader.end);
    return service;
  } catch {
    return undefined;
  }
}
