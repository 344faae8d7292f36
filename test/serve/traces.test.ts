import { Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { attributesOf, otlpReceiverForThisTest, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { until } from "../support/until.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

function metadataOf(...parents: string[]): Metadata {
  const metadata = new Metadata();
  for (const parent of parents) metadata.add("traceparent", parent);
  return metadata;
}

async function traced(env: Record<string, string> = {}, flags: string[] = []) {
  const receiver = await otlpReceiverForThisTest();
  const keyward = await keywardForThisTest({
    config: 'routes: [{ path: "/v1/**", access: authenticated }]',
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "20", ...env },
    flags,
  });
  return { receiver, keyward, client: checkClientForThisTest(keyward.authz) };
}

test("a check is a span below the one that called, and tells who, why and where, but no secret and no path", async () => {
  const { receiver, keyward, client } = await traced();
  const { id, secret } = await createKey(keyward.adminSocket);
  const path = "/v1/orders?api_key=hidden";
  const headers = [["authorization", `Bearer ${secret}`]] as const;
  const { metadata } = await client.checkBytes(
    describeRequest({ path, headers }),
    metadataOf(`00-${traceId}-${spanId}-01`),
  );
  await until("the span has come", () => receiver.spans().length === 1);
  const [span] = receiver.spans() as [ReceivedSpan];
  expect(span).toMatchObject({
    traceId,
    parentSpanId: spanId,
    name: "envoy.service.auth.v3.Authorization/Check",
    kind: 2,
  });
  expect(attributesOf(span)).toEqual({
    "rpc.system.name": "grpc",
    "rpc.method": "envoy.service.auth.v3.Authorization/Check",
    "rpc.response.status_code": "OK",
    "keyward.decision": "allow",
    "keyward.reason": "allowed",
    "keyward.decision_id": metadata.decision_id,
    "keyward.key_id": id,
    "keyward.route": "/v1/**",
  });
  expect(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)).toBeGreaterThan(0n);
  const sent = receiver.posts.map(({ body }) => body.toString()).join();
  expect([sent.includes(secret.slice(3, 20)), sent.includes("orders"), sent.includes("hidden")]).toEqual([
    false,
    false,
    false,
  ]);
});

test.each<[string, string[], Record<string, string>, boolean]>([
  ["not sampled by its caller", [`00-${traceId}-${spanId}-00`], {}, false],
  [
    "not sampled by its caller, where all are",
    [`00-${traceId}-${spanId}-00`],
    { OTEL_TRACES_SAMPLER: "always_on" },
    true,
  ],
  ["without a caller", [], {}, true],
  ["without a caller, where only those with one are", [], { OTEL_TRACES_SAMPLER: "parentbased_always_off" }, false],
  [
    "sampled by its caller, where only such are",
    [`00-${traceId}-${spanId}-01`],
    { OTEL_TRACES_SAMPLER: "parentbased_always_off" },
    true,
  ],
  ["with a caller that cannot be read", ["00-x"], {}, true],
  ["with two callers", [`00-${traceId}-${spanId}-00`, `00-${traceId}-${spanId}-00`], {}, true],
])("a check %s", async (_, parents, env, isTraced) => {
  const { receiver, client } = await traced(env);
  const { metadata } = await client.checkBytes(describeRequest(), metadataOf(...parents));
  // Always traced under the default sampler, unless nothing is that has no caller: then it has one.
  await client.checkBytes(describeRequest(), metadataOf(`00-${"a".repeat(32)}-${spanId}-01`));
  await until("the one after it has come", () => receiver.spans().some((span) => span.traceId === "a".repeat(32)));
  const ids = receiver.spans().map((span) => attributesOf(span)["keyward.decision_id"]);
  expect(ids.includes(String(metadata.decision_id))).toBe(isTraced);
});

test("each check thread traces, and what waits at the end is sent", async () => {
  const { receiver, keyward } = await traced({ OTEL_BSP_SCHEDULE_DELAY: "60000" }, ["--check-threads", "2"]);
  for (let connection = 0; connection < 8; connection++) await checkClientForThisTest(keyward.authz).check();
  expect(receiver.spans()).toEqual([]);
  await keyward.stop();
  expect(receiver.spans().map((span) => attributesOf(span)["keyward.reason"])).toEqual(
    Array.from({ length: 8 }, () => "route_denied"),
  );
});

test("a collector that answers nobody delays no check and no end", async () => {
  const { receiver, keyward, client } = await traced({ OTEL_EXPORTER_OTLP_TIMEOUT: "100" });
  receiver.status = 503;
  for (let check = 0; check < 50; check++) expect((await client.check()).reason).toBe("route_denied");
  await until("it is told", () => keyward.log().includes("the trace collector takes no spans: answered 503"));
  await keyward.stop();
  expect(await keyward.ended).toContain("exit code 0");
});

test("without an endpoint nothing is sent, and the code for it is not loaded", async () => {
  const keyward = await keywardForThisTest({ env: { NODE_DEBUG: "esm" } });
  await checkClientForThisTest(keyward.authz).check();
  expect(keyward.log()).toContain("check-counters.ts");
  expect(keyward.log()).not.toMatch(/traces\/(tracer|exporter|otlp)\.ts/);
});
