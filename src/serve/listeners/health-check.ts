import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/health/v1/health_pb.ts";
import { GRPC_STATUS, grpcRefusal, type Refusal } from "../../h2/answer.ts";

/** The full name of the service that Envoy calls: the only one whose health is told. */
export const AUTHORIZATION = "envoy.service.auth.v3.Authorization";

const UNKNOWN = grpcRefusal(GRPC_STATUS.notFound, "unknown service");
const SERVING = toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: Status.SERVING }));
const NOT_SERVING = toBinary(
  HealthCheckResponseSchema,
  create(HealthCheckResponseSchema, { status: Status.NOT_SERVING }),
);

/** Answers `grpc.health.v1.Health/Check` for the server as a whole (`""`) and for the service that Envoy calls; NOT_FOUND for any other. */
export function answerHealthCheck(message: Uint8Array, isServing: boolean): Uint8Array | Refusal {
  const { service } = fromBinary(HealthCheckRequestSchema, message);
  if (service !== "" && service !== AUTHORIZATION) return UNKNOWN;
  return isServing ? SERVING : NOT_SERVING;
}
