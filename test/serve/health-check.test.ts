import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { HealthCheckRequestSchema, HealthCheckResponseSchema } from "../../src/gen/health/v1/health_pb.ts";
import { AUTHORIZATION, answerHealthCheck } from "../../src/serve/listeners/health-check.ts";

const asking = (service: string) => toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
const other = asking("envoy.service.auth.v2.Authorization");
/** Field 2, which no version of the message has, with the text "x". */
const unknownField = Uint8Array.of(0x12, 1, 0x78);

/** The answer in JSON, or the frame that refuses. */
function answered(message: Uint8Array, isServing: boolean): unknown {
  const answer = answerHealthCheck(message, isServing);
  if (!(answer instanceof Uint8Array)) return answer.frame.toString("latin1");
  return toJson(HealthCheckResponseSchema, fromBinary(HealthCheckResponseSchema, answer));
}

test.each([
  ["the server as a whole", asking("")],
  ["the service that Envoy calls", asking(AUTHORIZATION)],
  ["a service that is named twice, as it is named last", Buffer.concat([other, asking(AUTHORIZATION)])],
  ["a message with an unknown field", Buffer.concat([asking(AUTHORIZATION), unknownField])],
])("%s is SERVING or NOT_SERVING", (_, message) => {
  expect(answered(message, true)).toEqual({ status: "SERVING" });
  expect(answered(message, false)).toEqual({ status: "NOT_SERVING" });
});

test.each([
  ["another service", other, "unknown service"],
  ["a service that is named twice, another one last", Buffer.concat([asking(AUTHORIZATION), other]), "unknown service"],
  ["a name that only begins as ours does", asking(`${AUTHORIZATION}s`), "unknown service"],
  ["a message that is cut", asking(AUTHORIZATION).subarray(0, 10), "not a HealthCheckRequest"],
  ["a service that is a number", Uint8Array.of(0x08, 1), "not a HealthCheckRequest"],
])("%s is refused", (_, message, words) => {
  expect(answered(message, true)).toContain(words);
});
