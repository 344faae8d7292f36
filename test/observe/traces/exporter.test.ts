import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Log } from "../../../src/observe/log.ts";
import { createMetricMemory, MetricCells } from "../../../src/observe/metrics/cells.ts";
import { createSpanExporter } from "../../../src/observe/traces/exporter.ts";
import type { CheckSpan } from "../../../src/observe/traces/tracer.ts";
import { type OtlpReceiver, otlpReceiverForThisTest } from "../../support/otlp-receiver.ts";
import { freePorts } from "../../support/ports.ts";
import { until } from "../../support/until.ts";

const spanOf = (number: number): CheckSpan => ({
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: String(number).padStart(16, "0"),
  parentId: undefined,
  startMs: 1_000.25,
  endMs: 1_000.5,
  decisionId: "d",
  allowed: true,
  reason: "allowed",
  keyId: undefined,
  route: undefined,
});
const spansOf = (count: number) => Array.from({ length: count }, (_, number) => spanOf(number));

function exporterTo(url: string, intervalMs = 10, timeoutMs = 500) {
  const cells = new MetricCells(createMetricMemory(1), 0);
  const lines: string[] = [];
  const log: Log = (level, message) => lines.push(`${level} ${message}`);
  const bounds = { timeoutMs, intervalMs, maxQueue: 10, maxBatch: 4 };
  const sampling = { byParent: true, ratio: 1 };
  const settings = { url, headers: { "x-key": "k" }, resource: { "service.name": "n" }, sampling, ...bounds };
  const exporter = createSpanExporter(settings, "1.2.3", cells, log);
  onTestFinished(() => exporter.finish());
  const counts = () => [0, 1].map((series) => cells.read("keyward_trace_spans_total", series)[0]);
  return { exporter, lines, counts };
}

const idsOf = (receiver: OtlpReceiver) => receiver.spans().map(({ spanId }) => Number(spanId));

test("spans come in batches, with the headers and the resource", async () => {
  const receiver = await otlpReceiverForThisTest();
  const { exporter, lines, counts } = exporterTo(`${receiver.url}/v1/traces`);
  exporter.take(spansOf(9));
  await until("all have come", () => receiver.spans().length === 9);
  expect(idsOf(receiver)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await until("all are counted", () => counts()[0] === 9);
  expect([receiver.posts.length, lines, counts()]).toEqual([3, [], [9, 0]]);
  const [post] = receiver.posts;
  expect([post?.path, post?.headers["x-key"], post?.headers["content-type"]]).toEqual([
    ...["/v1/traces", "k", "application/json"],
  ]);
  const { resourceSpans } = JSON.parse(String(post?.body));
  expect(resourceSpans[0].resource.attributes).toEqual([
    { key: "service.version", value: { stringValue: "1.2.3" } },
    { key: "service.name", value: { stringValue: "n" } },
  ]);
  expect(resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
    startTimeUnixNano: "1000250000",
    endTimeUnixNano: "1000500000",
    kind: 2,
  });
});

test("what a collector wants again is sent again, and its trouble told once", async () => {
  const receiver = await otlpReceiverForThisTest();
  receiver.status = 503;
  const { exporter, lines, counts } = exporterTo(receiver.url);
  exporter.take(spansOf(3));
  await until("it was refused some times", () => receiver.posts.length >= 3);
  receiver.status = 200;
  await until("all have come", () => receiver.spans().length === 3);
  await until("all are counted", () => counts()[0] === 3);
  expect(counts()).toEqual([3, 0]);
  expect(lines).toEqual([
    "warn the trace collector takes no spans: answered 503",
    "info the trace collector takes spans again",
  ]);
});

test("what a collector refuses for good is dropped and counted", async () => {
  const receiver = await otlpReceiverForThisTest();
  receiver.status = 400;
  const { exporter, lines, counts } = exporterTo(receiver.url);
  exporter.take(spansOf(3));
  await until("they are counted", () => counts()[1] === 3);
  expect([receiver.posts.length, lines]).toEqual([1, ["warn the trace collector takes no spans: answered 400"]]);
});

test("a collector that is not there costs what the queue has no room for, and one line", async () => {
  const [port = 0] = await freePorts(1);
  const { exporter, lines, counts } = exporterTo(`http://127.0.0.1:${port}`);
  exporter.take(spansOf(4));
  await until("it is told", () => lines.length > 0);
  for (let round = 0; round < 20; round++) exporter.take(spansOf(1));
  await until("the rest is counted", () => (counts()[1] ?? 0) >= 10);
  expect(lines).toEqual([expect.stringContaining("warn the trace collector takes no spans: connect ECONNREFUSED")]);
  await exporter.finish();
  expect(counts()).toEqual([0, 24]);
});

test("a collector that takes a call and never answers does not hold up the end", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { exporter, counts } = exporterTo(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, 10, 3_600_000);
  exporter.take(spansOf(6));
  await once(silent, "request");
  await exporter.finish();
  expect(counts()).toEqual([0, 6]);
});

test("what waits at the end is sent", async () => {
  const receiver = await otlpReceiverForThisTest();
  const { exporter } = exporterTo(receiver.url, 60_000);
  exporter.take(spansOf(2));
  await exporter.finish();
  expect(idsOf(receiver)).toEqual([0, 1]);
});
