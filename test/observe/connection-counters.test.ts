import { expect, test } from "vitest";
import { createConnectionCounter } from "../../src/observe/connection-counters.ts";
import { createMetricMemory, MetricCells } from "../../src/observe/metrics/cells.ts";
import { printMetrics } from "../../src/observe/metrics/print.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";

function memoryOfTwo() {
  const memory = createMetricMemory(2);
  const samples = () => readMetrics(printMetrics(memory, { threads: ["0", "main"], slots: {} }));
  const counter = (thread: number, listener: "authz" | "ops") =>
    createConnectionCounter(new MetricCells(memory, thread), listener);
  return { samples, counter };
}

test("the threads are added up, by listener, and of one that is off nothing is open", () => {
  const { samples, counter } = memoryOfTwo();
  const [one, other, ops] = [counter(0, "authz"), counter(1, "authz"), counter(1, "ops")];
  for (const event of ["accepted", "accepted", "timeout", "closed"] as const) one(event);
  for (const event of ["accepted", "full", "displaced", "displaced"] as const) other(event);
  ops("accepted");
  const told = samples();
  expect(Object.fromEntries(byLabel(told, "keyward_connections_open", "listener"))).toEqual({ authz: 2, ops: 1 });
  expect(told.get('keyward_connections_accepted_total{listener="authz"}')).toBe(3);
  expect(told.get('keyward_connections_dropped_total{listener="authz",reason="full"}')).toBe(1);
  expect(told.get('keyward_connections_dropped_total{listener="authz",reason="timeout"}')).toBe(1);
  expect(told.get('keyward_connections_dropped_total{listener="authz",reason="displaced"}')).toBe(2);
  expect(told.get('keyward_connections_dropped_total{listener="ops",reason="full"}')).toBe(0);
});

test("with a thread that died its connections are gone, and what it has taken stays counted", () => {
  const { samples, counter } = memoryOfTwo();
  const died = counter(0, "authz");
  for (let connection = 0; connection < 5; connection++) died("accepted");
  counter(0, "authz")("accepted");
  expect(samples().get('keyward_connections_open{listener="authz"}')).toBe(1);
  expect(samples().get('keyward_connections_accepted_total{listener="authz"}')).toBe(6);
});
