import { describe, expect, test } from "vitest";
import { createMetricMemory, MetricCells } from "../../../src/observe/metrics/cells.ts";
import type { Metric } from "../../../src/observe/metrics/metric.ts";
import { METRICS } from "../../../src/observe/metrics/metrics.ts";
import { printMetrics } from "../../../src/observe/metrics/print.ts";
import { routeNames } from "../../../src/observe/metrics/route-slots.ts";
import { byLabel, readMetrics } from "../../support/metrics.ts";

const threads = ["0", "1", "writer"];

function memoryOfThree() {
  const memory = createMetricMemory(3);
  const [zero, one, writer] = threads.map((_, thread) => new MetricCells(memory, thread));
  if (zero === undefined || one === undefined || writer === undefined) throw new Error("there are three");
  const text = (route = routeNames({ routes: [] })) => printMetrics(memory, { threads, slots: { route } });
  return { zero, one, writer, text, samples: () => readMetrics(text()) };
}

describe("a counter", () => {
  test("is added up over the threads, and 0 where nobody has counted", () => {
    const { zero, one, samples } = memoryOfThree();
    zero.at("keyward_checks_total", { reason: "allowed", decision: "allow" }).add();
    one.at("keyward_checks_total", { decision: "allow", reason: "allowed" }).add(4);
    const reasons = byLabel(samples(), "keyward_checks_total", "reason");
    expect([reasons.get("allowed"), reasons.get("key_revoked")]).toEqual([5, 0]);
  });

  test("with many series is told only of those that were counted", () => {
    const { writer, samples } = memoryOfThree();
    const method = "keyward.admin.v1.KeyService.CreateKey";
    writer.at("keyward_admin_calls_total", { method, code: "ok" }).add();
    const told = [...samples()].filter(([series]) => series.startsWith("keyward_admin_calls_total"));
    expect(told).toEqual([[`keyward_admin_calls_total{method="${method}",code="ok"}`, 1]]);
  });

  test("counts beyond 2^32", () => {
    const { zero, samples } = memoryOfThree();
    const cell = zero.at("keyward_thread_restarts_total", { thread: "check" });
    cell.add(2 ** 32);
    cell.add();
    expect(samples().get('keyward_thread_restarts_total{thread="check"}')).toBe(2 ** 32 + 1);
  });

  test.each([
    ["another label", { method: "GET" }],
    ["another value", { decision: "allow", reason: "allow" }],
    ["a label too few", { reason: "allowed" }],
    ["no label", {}],
  ])("has no series with %s", (_, labels: Record<string, string>) => {
    expect(() => memoryOfThree().zero.at("keyward_checks_total", labels)).toThrow("has no series");
  });
});

describe("a gauge", () => {
  test("is told of those threads that have said something, and taken back", () => {
    const { zero, one, samples } = memoryOfThree();
    const of = () => Object.fromEntries(byLabel(samples(), "keyward_applied_revision", "thread"));
    expect(of()).toEqual({});
    zero.at("keyward_applied_revision").set(7);
    one.at("keyward_applied_revision").set(0);
    expect(of()).toEqual({ 0: 7, 1: 0 });
    zero.at("keyward_applied_revision").set(Number.NaN);
    expect(of()).toEqual({ 1: 0 });
  });
});

describe("a histogram", () => {
  test.each<[string, number, string]>([
    ["nothing", 0, "0.000005"],
    ["exactly the first bound", 0.000005, "0.000005"],
    ["just above the first bound", 0.0000050001, "0.00001"],
    ["exactly the last bound", 0.2, "0.2"],
    ["just above the last bound", 0.200001, "+Inf"],
    ["an hour", 3_600, "+Inf"],
  ])("puts %s into its bucket", (_, seconds, bucket) => {
    const { zero, samples } = memoryOfThree();
    zero.histogram("keyward_check_duration_seconds").observe(seconds);
    const buckets = byLabel(samples(), "keyward_check_duration_seconds_bucket", "le");
    expect([...buckets].find(([, count]) => count > 0)?.[0]).toBe(bucket);
  });

  test("is added up over the threads, bucket on bucket", () => {
    const { zero, one, samples } = memoryOfThree();
    for (const seconds of [0.000004, 0.00003, 0.00003, 0.3])
      zero.histogram("keyward_check_duration_seconds").observe(seconds);
    one.histogram("keyward_check_duration_seconds").observe(0.002);
    const told = samples();
    expect([...byLabel(told, "keyward_check_duration_seconds_bucket", "le").values()]).toEqual([
      ...[1, 1, 1, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5],
    ]);
    expect(told.get("keyward_check_duration_seconds_count")).toBe(5);
    expect(told.get("keyward_check_duration_seconds_sum")).toBeCloseTo(0.302064, 6);
  });

  test("of each thread is told of those that have counted", () => {
    const { writer, samples } = memoryOfThree();
    writer.histogram("keyward_event_loop_delay_seconds").observe(0.3);
    expect([...byLabel(samples(), "keyward_event_loop_delay_seconds_count", "thread")]).toEqual([["writer", 1]]);
    expect(samples().get('keyward_event_loop_delay_seconds_bucket{thread="writer",le="0.2"}')).toBe(0);
    expect(samples().get('keyward_event_loop_delay_seconds_bucket{thread="writer",le="0.5"}')).toBe(1);
  });
});

test("a label value is escaped", () => {
  const { zero, text } = memoryOfThree();
  const names = routeNames({ routes: [{ path: '/a"b\\c\nd' }] });
  zero.at("keyward_route_checks_total", { route: "4", decision: "allow", reason: "allowed" }).add();
  expect(text(names)).toContain(
    'keyward_route_checks_total{route="/a\\"b\\\\c\\nd",decision="allow",reason="allowed"} 1\n',
  );
});

describe.each(Object.entries<Metric>(METRICS))("%s", (name, metric) => {
  test("is named and told of as Prometheus asks for", () => {
    expect(name).toMatch(/^(keyward|process)_[a-z][a-z0-9]*(_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(metric.kind === "counter");
    expect(metric.bounds !== undefined).toBe(metric.kind === "histogram");
    expect(metric.bounds ?? []).toEqual((metric.bounds ?? []).toSorted((one, other) => one - other));
    expect(metric.help).toMatch(/^\S.*\.$/);
  });
});

describe("the reader of metrics that these tests rely on", () => {
  const head = "# HELP a what\n# TYPE a counter\n";
  test.each([
    ["a family without HELP", "# TYPE a counter\na 1\n"],
    ["a family without TYPE", "# HELP a what\na 1\n"],
    ["an unknown type", "# HELP a what\n# TYPE a count\na 1\n"],
    ["a sample of another family", `${head}b 1\n`],
    ["a series that stands twice", `${head}a 1\na 1\n`],
    ["a family in two places", `${head}a 1\n${head}`],
    ["a value that is no number", `${head}a x\n`],
    ["labels without quotes", `${head}a{b=c} 1\n`],
    ["a last line without its end", `${head}a 1`],
  ])("refuses %s", (_, text) => {
    expect(() => readMetrics(text)).toThrow(/line/);
  });

  test("reads what is as it should be", () => {
    expect([...readMetrics(`${head}a{b="c"} 1.5\n`)]).toEqual([['a{b="c"}', 1.5]]);
  });
});
