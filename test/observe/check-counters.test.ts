import { describe, expect, test } from "vitest";
import { createCheckCounters } from "../../src/observe/check-counters.ts";
import { createMetricMemory, MetricCells } from "../../src/observe/metrics/cells.ts";
import { LOSSES, OUTCOMES } from "../../src/observe/metrics/checks.ts";
import { printMetrics } from "../../src/observe/metrics/print.ts";
import { routeNames } from "../../src/observe/metrics/route-slots.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";

const route = routeNames({ routes: [{ path: "/orders" }] });

function counted() {
  const memory = createMetricMemory(1);
  const again = () => createCheckCounters(new MetricCells(memory, 0), route);
  const samples = () => readMetrics(printMetrics(memory, { threads: ["0"], slots: { route } }));
  return { counters: again(), again, samples };
}

describe("outcomes", () => {
  test.each(OUTCOMES)("%s is counted by itself, and by its route", (outcome) => {
    const { counters, samples } = counted();
    counters.countOutcome(outcome, "/orders");
    counters.countOutcome(outcome, "/orders");
    const counts = [...byLabel(samples(), "keyward_checks_total", "reason")].filter(([, count]) => count > 0);
    expect(counts).toEqual([[outcome, 2]]);
    expect([...byLabel(samples(), "keyward_route_checks_total", "reason")]).toEqual([[outcome, 2]]);
    expect([...byLabel(samples(), "keyward_route_checks_total", "route")]).toEqual([["/orders", 2]]);
  });

  test.each([
    ["/orders", "/orders"],
    ["/order", "other"],
    ["default_access", "default_access"],
    ["context_extensions", "context_extensions"],
    [undefined, "none"],
  ])("a check of the route %s counts as %s", (asked, told) => {
    const { counters, samples } = counted();
    counters.countOutcome("allowed", asked);
    expect([...byLabel(samples(), "keyward_route_checks_total", "route")]).toEqual([[told, 1]]);
  });
});

describe("the caches", () => {
  const evictions = { known: 0, unknown: 0 };

  test("are counted as they grow, also where a new cache begins at 0", () => {
    const { counters, samples } = counted();
    counters.countCache({ hits: 1, unknownHits: 2, misses: 3, evictions });
    counters.countCache({ hits: 1, unknownHits: 2, misses: 3, evictions });
    counters.countCache({ hits: 4, unknownHits: 2, misses: 5, evictions: { known: 1, unknown: 2 } });
    counters.countCache({ hits: 1, unknownHits: 0, misses: 5, evictions });
    expect(Object.fromEntries(byLabel(samples(), "keyward_cache_lookups_total", "result"))).toEqual({
      hit: 5,
      unknown_hit: 2,
      miss: 5,
    });
    expect(Object.fromEntries(byLabel(samples(), "keyward_cache_evictions_total", "cache"))).toEqual({
      known: 1,
      unknown: 2,
    });
  });

  test("tell what they hold", () => {
    const { counters, samples } = counted();
    expect(byLabel(samples(), "keyward_cache_entries", "cache").size).toBe(0);
    counters.tellSizes({ known: 7, unknown: 8, bytes: 9 });
    expect(Object.fromEntries(byLabel(samples(), "keyward_cache_entries", "cache"))).toEqual({ known: 7, unknown: 8 });
    expect(samples().get('keyward_cache_bytes{thread="0"}')).toBe(9);
  });
});

test("what was lost is counted by what it was, lines among the lines", () => {
  const { counters, samples } = counted();
  for (const what of [...LOSSES, "use", "allowed_line"] as const) counters.countLost(what);
  expect(Object.fromEntries(byLabel(samples(), "keyward_usage_uncounted_total", "what"))).toEqual({
    use: 2,
    denial: 1,
    sighting: 1,
  });
  expect(samples().get('keyward_log_dropped_lines_total{where="check_thread"}')).toBe(1);
});

test("a thread that replaces another goes on with its counts", () => {
  const { counters, again, samples } = counted();
  counters.countOutcome("allowed", "/orders");
  counters.countDuration(1_500);
  const next = again();
  next.countOutcome("allowed", "/orders");
  next.countDuration(500);
  expect(byLabel(samples(), "keyward_checks_total", "reason").get("allowed")).toBe(2);
  expect(samples().get("keyward_check_duration_seconds_sum")).toBe(2);
});
