import { describe, expect, test } from "vitest";
import {
  CheckCounters,
  CheckTotalizer,
  COUNTERS_LENGTH,
  DURATION_BOUNDS_SECONDS,
  OUTCOMES,
} from "../../src/observe/check-counters.ts";

const WRAP = 2 ** 32;

function counted() {
  const cells = new Uint32Array(COUNTERS_LENGTH);
  return { cells, counters: new CheckCounters(cells), totalizer: new CheckTotalizer(cells) };
}

describe("outcomes", () => {
  test.each(OUTCOMES)("%s is counted by itself", (outcome) => {
    const { counters, totalizer } = counted();
    counters.countOutcome(outcome);
    counters.countOutcome(outcome);
    const counts = [...totalizer.totals().outcomes].filter(([, count]) => count > 0);
    expect(counts).toEqual([[outcome, 2]]);
  });
});

describe("durations", () => {
  const last = DURATION_BOUNDS_SECONDS.length;
  test.each<[string, number, number]>([
    ["nothing", 0, 0],
    ["exactly the first bound", 0.005, 0],
    ["just above the first bound", 0.0050001, 1],
    ["exactly the last bound", 200, last - 1],
    ["just above the last bound", 200.001, last],
    ["an hour", 3_600_000, last],
  ])("%s falls into its bucket", (_, milliseconds, bucket) => {
    const { counters, totalizer } = counted();
    counters.countDuration(milliseconds);
    const expected = Array.from({ length: last + 1 }, (_, index) => (index === bucket ? 1 : 0));
    expect(totalizer.totals().buckets).toEqual(expected);
  });

  test("the sum keeps fractions of a microsecond", () => {
    const { counters, totalizer } = counted();
    for (let count = 0; count < 1_000; count++) counters.countDuration(0.0015);
    expect(totalizer.totals().durationSeconds).toBeCloseTo(0.0015, 6);
  });

  test("the sum goes on where a 32-bit cell of microseconds wraps", () => {
    const { counters, totalizer } = counted();
    const seen: number[] = [];
    for (let hour = 1; hour <= 3; hour++) {
      counters.countDuration(3_600_000);
      seen.push(totalizer.totals().durationSeconds);
    }
    expect(seen).toEqual([3_600, 7_200, 10_800]);
  });
});

describe("cells", () => {
  test("wrap at 2^32 and lose nothing from the totals", () => {
    const { cells, counters, totalizer } = counted();
    cells.fill(WRAP - 1, 0, 1);
    expect(totalizer.totals().outcomes.get("allowed")).toBe(WRAP - 1);
    for (let count = 0; count < 3; count++) counters.countOutcome("allowed");
    expect(cells[0]).toBe(2);
    expect(totalizer.totals().outcomes.get("allowed")).toBe(WRAP + 2);
    expect(totalizer.totals().outcomes.get("public")).toBe(0);
  });

  test("are read as often as one likes", () => {
    const { counters, totalizer } = counted();
    counters.countOutcome("allowed");
    const looks = [totalizer.totals(), totalizer.totals(), totalizer.totals()];
    expect(looks.map(({ outcomes }) => outcomes.get("allowed"))).toEqual([1, 1, 1]);
  });

  test("are taken over by the counters of a thread that replaces another", () => {
    const { cells, counters, totalizer } = counted();
    counters.countDuration(1_500);
    counters.countCache({ hits: 5, unknownHits: 1, misses: 2 });
    const next = new CheckCounters(cells);
    next.countDuration(500);
    next.countCache({ hits: 1, unknownHits: 0, misses: 3 });
    const { durationSeconds, cache } = totalizer.totals();
    expect({ durationSeconds, cache }).toEqual({ durationSeconds: 2, cache: { hits: 6, unknownHits: 1, misses: 5 } });
  });
});

test("the cache's counts are added as they grow", () => {
  const { counters, totalizer } = counted();
  counters.countCache({ hits: 1, unknownHits: 2, misses: 3 });
  counters.countCache({ hits: 1, unknownHits: 2, misses: 3 });
  counters.countCache({ hits: 4, unknownHits: 2, misses: 5 });
  expect(totalizer.totals().cache).toEqual({ hits: 4, unknownHits: 2, misses: 5 });
});
