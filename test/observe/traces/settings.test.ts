import { describe, expect, test } from "vitest";
import { readTraceSettings, type TraceSettings } from "../../../src/observe/traces/settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

describe("nothing is traced", () => {
  test.each<[string, Record<string, string>, number]>([
    ["without an endpoint", { OTEL_SERVICE_NAME: "x" }, 0],
    ["with an empty endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, 0],
    ["with OTEL_SDK_DISABLED", { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, 0],
    ["with the exporter none", { ...endpoint, OTEL_TRACES_EXPORTER: "none" }, 0],
    ["and told of with an endpoint that is no URL", { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, 1],
    ["and told of with gRPC", { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, 1],
  ])("%s", (_, env, warnings) => {
    const read = readTraceSettings(env);
    expect([read.traces, read.warnings.length]).toEqual([undefined, warnings]);
  });
});

test("an endpoint is enough", () => {
  expect(readTraceSettings(endpoint)).toEqual({
    warnings: [],
    traces: {
      url: "http://collector:4318/v1/traces",
      headers: {},
      resource: { "service.name": "keyward" },
      timeoutMs: 10_000,
      intervalMs: 5_000,
      maxQueue: 2_048,
      maxBatch: 512,
      sampling: { byParent: true, ratio: 1 },
    },
  });
});

test.each<[string, Record<string, string>, Partial<TraceSettings>]>([
  ["a path of the endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://o/x/" }, { url: "https://o/x/v1/traces" }],
  ["the endpoint of traces, as it is", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t/y" }, { url: "http://t/y" }],
  [
    "headers, percent-encoded; those of traces first",
    { OTEL_EXPORTER_OTLP_HEADERS: "a=b", OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=a%20b, y=1=2,z" },
    { headers: { "x-key": "a b", y: "1=2" } },
  ],
  [
    "the name among the attributes",
    { OTEL_RESOURCE_ATTRIBUTES: "service.name=r,a=b" },
    { resource: { "service.name": "r", a: "b" } },
  ],
  [
    "the name by itself before that",
    { OTEL_RESOURCE_ATTRIBUTES: "service.name=r", OTEL_SERVICE_NAME: "s" },
    { resource: { "service.name": "s" } },
  ],
  ["the sampler", { OTEL_TRACES_SAMPLER: "always_off" }, { sampling: { byParent: false, ratio: 0 } }],
  [
    "a ratio",
    { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
    { sampling: { byParent: true, ratio: 0.25 } },
  ],
  ["numbers", { OTEL_BSP_SCHEDULE_DELAY: "100", OTEL_EXPORTER_OTLP_TIMEOUT: "1" }, { intervalMs: 100, timeoutMs: 1 }],
  ["a queue smaller than a batch", { OTEL_BSP_MAX_QUEUE_SIZE: "5" }, { maxQueue: 5, maxBatch: 5 }],
])("%s is followed", (_, env, expected) => {
  const { traces, warnings } = readTraceSettings({ ...endpoint, ...env });
  expect(traces).toMatchObject(expected);
  expect(warnings).toEqual([]);
});

test.each<[string, Record<string, string>]>([
  ["OTEL_TRACES_SAMPLER", { OTEL_TRACES_SAMPLER: "sometimes" }],
  ["OTEL_TRACES_SAMPLER_ARG", { OTEL_TRACES_SAMPLER_ARG: "1.1" }],
  ["OTEL_BSP_SCHEDULE_DELAY", { OTEL_BSP_SCHEDULE_DELAY: "0" }],
  ["OTEL_BSP_MAX_QUEUE_SIZE", { OTEL_BSP_MAX_QUEUE_SIZE: "1e9" }],
  ["OTEL_TRACES_EXPORTER", { OTEL_TRACES_EXPORTER: "zipkin" }],
  ["OTEL_EXPORTER_OTLP_PROTOCOL", { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }],
])("%s that cannot be followed is told of and passed over", (name, env) => {
  const { traces, warnings } = readTraceSettings({ ...endpoint, ...env });
  expect(warnings).toEqual([expect.stringContaining(`${name} must be`)]);
  expect(traces).toEqual(readTraceSettings(endpoint).traces);
});
