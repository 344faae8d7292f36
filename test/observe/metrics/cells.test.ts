import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { createMetricMemory, MetricCells, threadsIn } from "../../../src/observe/metrics/cells.ts";
import { METRICS, type MetricName } from "../../../src/observe/metrics/metrics.ts";

test.each([1, 2, 3, 18, 66])("the cells of %i threads share no byte, nor any 64 bytes", (threads) => {
  const memory = createMetricMemory(threads);
  expect([threadsIn(memory), memory.byteLength % (64 * threads)]).toEqual([threads, 0]);
  const first = new MetricCells(memory, 0);
  const last = new MetricCells(memory, threads - 1);
  const cell = { decision: "allow", reason: "allowed" };
  first.at("keyward_checks_total", cell).add(1);
  last.at("keyward_checks_total", cell).add(2);
  const read = (cells: MetricCells) => cells.read("keyward_checks_total", 0)[0];
  expect([read(first), read(last)]).toEqual(threads === 1 ? [3, 3] : [1, 2]);
});

test("no two series share a cell", () => {
  const cells = new MetricCells(createMetricMemory(1), 0);
  const all = Object.entries(METRICS).flatMap(([name, metric]) =>
    ("series" in metric ? metric.series : [{}]).map((labels) => [name as MetricName, labels, metric.kind] as const),
  );
  for (const [name, labels, kind] of all) {
    if (kind === "histogram") cells.histogram(name, labels).observe(0);
    else cells.at(name, labels).set(1);
  }
  const sums = Object.entries(METRICS).flatMap(([name, metric]) =>
    ("series" in metric ? metric.series : [{}]).map((_, series) =>
      cells.read(name as MetricName, series).reduce((sum, value) => sum + value, 0),
    ),
  );
  expect(sums).toEqual(all.map(() => 1));
});

test("what another thread counts is seen here", async () => {
  const memory = createMetricMemory(2);
  const body = `const { workerData } = require("node:worker_threads");
    import(workerData.module).then(({ MetricCells }) => new MetricCells(workerData.memory, 1).at("keyward_alerts_total", { event: "key_new_network" }).add(3));`;
  const module = new URL("../../../src/observe/metrics/cells.ts", import.meta.url).href;
  const worker = new Worker(body, { eval: true, workerData: { memory, module } });
  await new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve));
  const seen = [0, 1].map((thread) => new MetricCells(memory, thread).read("keyward_alerts_total", 0)[0]);
  expect(seen).toEqual([0, 3]);
});
