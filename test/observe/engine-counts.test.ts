import { expect, test } from "vitest";
import { createCounters } from "../../src/h2/counters.ts";
import { createEngineCounts } from "../../src/observe/engine-counts.ts";
import { createMetricMemory, MetricCells } from "../../src/observe/metrics/cells.ts";
import { printMetrics } from "../../src/observe/metrics/print.ts";
import { readMetrics } from "../support/metrics.ts";

test("what the engine has counted is told once, by a thread and by the one that took its place", () => {
  const memory = createMetricMemory(1);
  const samples = () => readMetrics(printMetrics(memory, { threads: ["0"], slots: {} }));
  const start = () => {
    const engine = { counters: createCounters(), heldBytes: 0 };
    return { engine, tell: createEngineCounts(new MetricCells(memory, 0), engine) };
  };
  const { engine, tell } = start();
  Object.assign(engine.counters, {
    resetsReceived: 1,
    resetsSent: 2,
    refusedStreams: 3,
    refusals: 4,
    handlerErrors: 5,
    nuisance: 6,
    stalled: 7,
  });
  engine.counters.goaways.none = 8;
  engine.counters.goaways.enhanceYourCalm = 9;
  engine.heldBytes = 10;
  tell();
  engine.counters.nuisance += 100;
  tell();

  const successor = start();
  successor.engine.counters.goaways.enhanceYourCalm = 1;
  successor.tell();
  const told = samples();
  const expected = {
    'keyward_h2_resets_total{by="peer"}': 1,
    'keyward_h2_resets_total{by="keyward"}': 2,
    keyward_h2_refused_streams_total: 3,
    keyward_h2_refused_requests_total: 4,
    keyward_h2_failed_calls_total: 5,
    keyward_h2_nuisance_total: 106,
    keyward_h2_stalled_connections_total: 7,
    'keyward_h2_goaways_total{cause="drain"}': 8,
    'keyward_h2_goaways_total{cause="enhance_your_calm"}': 10,
    'keyward_h2_goaways_total{cause="frame_size"}': 0,
    keyward_h2_held_bytes: 0,
  };
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, told.get(name)]))).toEqual(expected);
});
