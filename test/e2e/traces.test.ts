import { expect, onTestFinished, test } from "vitest";
import { startUpstream } from "../../demo/upstream.ts";
import { createKey } from "../support/admin-call.ts";
import { startEnvoy } from "../support/envoy.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import { attributesOf, otlpReceiverForThisTest, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { until } from "../support/until.ts";
import { type BareEnvoyConfig, bareEnvoyConfig } from "./support/bare-envoy.ts";
import { sendHttp1 } from "./support/client.ts";

/** Envoy's own spans, sent to the same collector as protobuf. */
function withTracing(config: BareEnvoyConfig, collector: string): object {
  const { port } = new URL(collector);
  const [listener] = config.static_resources.listeners;
  const manager = listener?.filter_chains[0]?.filters[0]?.typed_config ?? {};
  const http_uri = { uri: `${collector}/v1/traces`, cluster: "collector", timeout: "1s" };
  const provider = {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      service_name: "envoy",
      http_service: { http_uri },
    },
  };
  Object.assign(manager, { tracing: { provider } });
  const address = { socket_address: { address: "127.0.0.1", port_value: Number(port) } };
  const load_assignment = { cluster_name: "collector", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  config.static_resources.clusters.push({ name: "collector", type: "STATIC", connect_timeout: "1s", load_assignment });
  return {
    ...config,
    layered_runtime: { layers: [{ name: "often", static_layer: { tracing: { opentelemetry: FLUSH } } }] },
  };
}

/** Envoy sends each span by itself instead of five, and without waiting. */
const FLUSH = { min_flush_spans: 1, flush_interval_ms: 20 };

test("a check is a span below Envoy's own, in the trace that the client began", async () => {
  const receiver = await otlpReceiverForThisTest();
  const keyward = await keywardForThisTest({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "20" },
  });
  const upstream = await startUpstream();
  onTestFinished(upstream.stop);
  const ports = { keyward: Number(keyward.authz.split(":")[1]), upstream: upstream.port };
  const envoy = await startEnvoy({ config: withTracing(bareEnvoyConfig(ports), receiver.url) });
  onTestFinished(envoy.stop);

  const { id, secret } = await createKey(keyward.adminSocket);
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const clientSpan = "00f067aa0ba902b7";
  const headers = [["traceparent", `00-${traceId}-${clientSpan}-01`]] as const;
  const { status, seen } = await sendHttp1(envoy.port("ingress"), { secret, headers });
  expect([status, seen?.headers.traceparent]).toEqual([200, expect.stringContaining(traceId)]);

  await until("Keyward's span has come", () => receiver.spans().length === 1);
  const [span] = receiver.spans() as [ReceivedSpan];
  expect([span.traceId, attributesOf(span)["keyward.key_id"]]).toEqual([traceId, id]);
  const parent = span.parentSpanId ?? "";
  expect(parent).toMatch(/^[0-9a-f]{16}$/);
  expect(parent).not.toBe(clientSpan);
  const ofEnvoy = () => receiver.posts.filter((post) => post.headers["content-type"] === "application/x-protobuf");
  await until("the span above it has come from Envoy", () =>
    ofEnvoy().some(({ body }) => body.includes(Buffer.from(parent, "hex"))),
  );
});
