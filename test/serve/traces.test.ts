import { fileURLToPath } from "node:url";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { KEYWARD_MAIN } from "../support/cli.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { startKeyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
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

const CALLERS: [string, string[]][] = [
  ["no caller", []],
  ["a caller that is sampled", [`00-${traceId}-${spanId}-01`]],
  ["a caller that is not", [`00-${traceId}-${spanId}-00`]],
  ["a caller that cannot be read", ["00-x"]],
  ["two callers that are not", [`00-${traceId}-${spanId}-00`, `00-${traceId}-${spanId}-00`]],
];

test.each([
  [
    "parentbased_always_on",
    ["no caller", "a caller that is sampled", "a caller that cannot be read", "two callers that are not"],
  ],
  ["parentbased_always_off", ["a caller that is sampled"]],
  ["always_on", CALLERS.map(([name]) => name)],
])("with the sampler %s, checks are traced that have %j", async (sampler, expected) => {
  const { receiver, keyward, client } = await traced({ OTEL_TRACES_SAMPLER: sampler });
  const names = new Map<unknown, string>();
  for (const [name, parents] of CALLERS) {
    const { metadata } = await client.checkBytes(describeRequest(), metadataOf(...parents));
    names.set(metadata.decision_id, name);
  }
  await keyward.stop();
  const seen = receiver.spans().map((span) => names.get(attributesOf(span)["keyward.decision_id"]));
  expect(seen).toEqual(expected);
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
  await logged(keyward, "the trace collector takes no spans: answered 503");
  await keyward.stop();
  expect(await keyward.ended).toContain("exit code 0");
});

describe("the code that sends traces", () => {
  const preload = fileURLToPath(new URL("children/refuse-traces.ts", import.meta.url));
  const command = [process.execPath, "--import", preload, KEYWARD_MAIN] as const;

  test("is not loaded without an endpoint, by any thread", async () => {
    const keyward = await keywardForThisTest({ command });
    expect((await checkClientForThisTest(keyward.authz).check()).reason).toBe("no_credential");
  });

  test("is loaded with one", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };
    await expect(startKeyward({ command, env })).rejects.toThrow("exporter.ts was imported");
  });
});
