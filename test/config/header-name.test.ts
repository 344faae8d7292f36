import { expect, test } from "vitest";
import { HEADER_NAME_BOUND, readHeaderName } from "../../src/config/header-name.ts";

const RESERVED = "must not be a header that has a meaning of its own";
const ENVOYS = "must not begin with x-envoy-, which Envoy keeps for itself";

test.each(["x-keyward-owner", "x_owner", "owner", "x-envo-y", "hosts", "a".repeat(64)])("%s is accepted", (name) => {
  expect(readHeaderName(name)).toEqual({ value: name });
});

test.each([
  ["", `must be ${HEADER_NAME_BOUND}`],
  ["X-Owner", `must be ${HEADER_NAME_BOUND}`],
  ["x owner", `must be ${HEADER_NAME_BOUND}`],
  [":path", `must be ${HEADER_NAME_BOUND}`],
  ["x-ownér", `must be ${HEADER_NAME_BOUND}`],
  ["a".repeat(65), `must be ${HEADER_NAME_BOUND}`],
  ["host", RESERVED],
  ["authorization", RESERVED],
  ["cookie", RESERVED],
  ["content-length", RESERVED],
  ["connection", RESERVED],
  ["x-api-key", RESERVED],
  ["x_api.key", RESERVED],
  ["x-keyward-reason", RESERVED],
  ["x-envoy-owner", ENVOYS],
  ["x_envoy_owner", ENVOYS],
])("%j is refused", (name, problem) => {
  expect(readHeaderName(name)).toEqual({ problem });
});
