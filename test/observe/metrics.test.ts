import { describe, expect, test } from "vitest";
import { CheckCounters, CheckTotalizer, type CheckTotals, COUNTERS_LENGTH } from "../../src/observe/check-counters.ts";
import { createMetrics, durationHistogram } from "../../src/observe/metrics.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";

function totalsOf(count: (counters: CheckCounters) => void): CheckTotals {
  const cells = new Uint32Array(COUNTERS_LENGTH);
  count(new CheckCounters(cells));
  return new CheckTotalizer(cells).totals();
}

const one = totalsOf((counters) => {
  for (const milliseconds of [0.004, 0.03, 0.03, 300]) counters.countDuration(milliseconds);
  counters.countOutcome("allowed");
  counters.countCache({ hits: 1, unknownHits: 0, misses: 2 });
});
const other = totalsOf((counters) => {
  counters.countDuration(2);
  counters.countOutcome("allowed");
  counters.countOutcome("no_credential");
  for (const what of ["use", "sighting", "sighting", "allowed_line"] as const) counters.countLost(what);
});

describe("the histogram of durations", () => {
  test("adds up the threads, bucket on bucket", () => {
    const samples = readMetrics(durationHistogram([one, other]));
    expect([...byLabel(samples, "keyward_check_duration_seconds_bucket", "le")]).toEqual([
      ["0.000005", 1],
      ["0.00001", 1],
      ["0.00002", 1],
      ["0.00005", 3],
      ["0.0001", 3],
      ["0.00025", 3],
      ["0.0005", 3],
      ["0.001", 3],
      ["0.005", 4],
      ["0.02", 4],
      ["0.1", 4],
      ["0.2", 4],
      ["+Inf", 5],
    ]);
    expect(samples.get("keyward_check_duration_seconds_count")).toBe(5);
    expect(samples.get("keyward_check_duration_seconds_sum")).toBeCloseTo(0.302064, 6);
  });

  test("is there without any check, too", () => {
    const samples = readMetrics(durationHistogram([]));
    expect(samples.get('keyward_check_duration_seconds_bucket{le="+Inf"}')).toBe(0);
  });
});

test("the metrics add up the threads, and leave out a revision that no thread follows", async () => {
  const registry = createMetrics({
    totals: () => [one, other],
    appliedRevisions: () => [7, undefined, 9],
    staleSeconds: () => [0, 12.5],
    restarts: () => ({ check: 2, writer: 1 }),
    usageKnownUntilMs: () => [0, Date.now()],
    lostUses: () => 3,
    alerts: () => new Map([["key_new_network", 2]]),
    droppedLines: () => 4,
    version: "1.2.3",
  });
  const samples = readMetrics((await registry.metrics()) + durationHistogram([one, other]));
  const reasons = byLabel(samples, "keyward_checks_total", "reason");
  expect([reasons.get("allowed"), reasons.get("no_credential"), reasons.get("key_revoked")]).toEqual([2, 1, 0]);
  expect(Object.fromEntries(byLabel(samples, "keyward_cache_lookups_total", "result"))).toEqual({
    hit: 1,
    unknown_hit: 0,
    miss: 2,
  });
  expect(Object.fromEntries(byLabel(samples, "keyward_applied_revision", "thread"))).toEqual({ 0: 7, 2: 9 });
  expect(Object.fromEntries(byLabel(samples, "keyward_thread_restarts_total", "thread"))).toEqual({
    check: 2,
    writer: 1,
  });
  expect(Object.fromEntries(byLabel(samples, "keyward_alerts_total", "event"))).toEqual({
    key_new_network: 2,
    key_request_rate: 0,
    key_denial_burst: 0,
    revoked_key_used: 0,
  });
  expect(Object.fromEntries(byLabel(samples, "keyward_usage_uncounted_total", "what"))).toEqual({
    use: 4,
    denial: 0,
    sighting: 2,
  });
  expect(Object.fromEntries(byLabel(samples, "keyward_log_dropped_lines_total", "where"))).toEqual({
    check_thread: 1,
    output: 4,
  });
  expect([...byLabel(samples, "keyward_usage_behind_seconds", "thread").keys()]).toEqual(["1"]);
  expect(samples.get('keyward_build_info{version="1.2.3"}')).toBe(1);
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
