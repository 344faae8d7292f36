import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRateLimiter, type RateLimiter } from "../../src/check/rate-limit.ts";
import { RATE_CELLS, type RateLimit } from "../../src/key/record.ts";

const SECOND_NS = 1_000_000_000n;
const DAY_MS = 86_400_000;
const LONGEST_MS = 31 * DAY_MS;

/** A few days after the machine was started. */
const SOME_DAY_NS = 345_678_901_234_567n;

function limitOf(requests: number, windowMs: number, cell = 0): RateLimit {
  return { requests, windowMs, cell };
}

/** The time between two requests when the window is used up, in nanoseconds. */
function partOf({ requests, windowMs }: RateLimit): bigint {
  return (BigInt(windowMs) * 1_000_000n) / BigInt(requests);
}

/** A limiter with a clock that stands still until the test moves it. */
function limiterAt(nowNs = SOME_DAY_NS, cells = new BigInt64Array(4)) {
  const clock = { nowNs };
  return { clock, cells, rates: createRateLimiter(cells, () => clock.nowNs) };
}

/** How many of so many requests pass at once. */
function passing(rates: RateLimiter, limit: RateLimit, tries: number): number {
  let passed = 0;
  for (let index = 0; index < tries; index++) if (rates.take(limit).allowed) passed++;
  return passed;
}

const EXTREMES: [title: string, limit: RateLimit][] = [
  ["one a second", limitOf(1, 1_000)],
  ["one in 31 days", limitOf(1, LONGEST_MS)],
  ["a million a second", limitOf(1_000_000, 1_000)],
  ["a million in 31 days", limitOf(1_000_000, LONGEST_MS)],
];

const LIMITS: [title: string, limit: RateLimit][] = [
  ...EXTREMES,
  ["100 in 60 seconds", limitOf(100, 60_000)],
  ["3 a second, which is no whole number of nanoseconds", limitOf(3, 1_000)],
  ["999,999 a second, which is none either", limitOf(999_999, 1_000)],
];

describe.each(LIMITS)("of %s", (_, limit) => {
  test("exactly so many pass at once, and then one in each part of the window", () => {
    const { rates, clock } = limiterAt();
    expect(passing(rates, limit, limit.requests + 1)).toBe(limit.requests);
    for (let part = 0; part < 3; part++) {
      clock.nowNs += partOf(limit) - 1n;
      expect(rates.take(limit).allowed).toBe(false);
      clock.nowNs += 1n;
      expect(passing(rates, limit, 2)).toBe(1);
    }
  });

  test("all are back after a whole window, and no more than all after ten", () => {
    const { rates, clock } = limiterAt();
    for (const windows of [0, 1, 10]) {
      clock.nowNs += BigInt(windows) * BigInt(limit.windowMs) * 1_000_000n;
      expect(passing(rates, limit, limit.requests + 1)).toBe(limit.requests);
    }
  });

  test.each([
    ["that has only begun", 0n],
    ["after a century", 100n * 365n * 86_400n * SECOND_NS],
  ])("exactly so many pass on a clock %s", (_title, nowNs) => {
    expect(passing(limiterAt(nowNs).rates, limit, limit.requests + 1)).toBe(limit.requests);
  });
});

describe("what is told", () => {
  test("counts down to 0 and stays there", () => {
    const { rates } = limiterAt();
    const limit = limitOf(3, 60_000);
    expect(Array.from({ length: 5 }, () => rates.take(limit))).toEqual([
      { limit, allowed: true, remaining: 2, nextInSeconds: 20 },
      { limit, allowed: true, remaining: 1, nextInSeconds: 20 },
      { limit, allowed: true, remaining: 0, nextInSeconds: 20 },
      { limit, allowed: false, remaining: 0, nextInSeconds: 20 },
      { limit, allowed: false, remaining: 0, nextInSeconds: 20 },
    ]);
  });

  test.each<[title: string, waitedNs: bigint, nextInSeconds: number]>([
    ["at once", 0n, 20],
    ["a nanosecond later, rounded up", 1n, 20],
    ["a second later", SECOND_NS, 19],
    ["a nanosecond more than that later", SECOND_NS + 1n, 19],
    ["a nanosecond before it passes", 20n * SECOND_NS - 1n, 1],
  ])("is the time to wait, %s", (_title, waitedNs, nextInSeconds) => {
    const { rates, clock } = limiterAt();
    const limit = limitOf(3, 60_000);
    passing(rates, limit, 3);
    clock.nowNs += waitedNs;
    expect(rates.take(limit)).toEqual({ limit, allowed: false, remaining: 0, nextInSeconds });
  });

  test.each<[title: string, waitedNs: bigint, remaining: number, nextInSeconds: number]>([
    ["a nanosecond before the first is back", 20n * SECOND_NS - 1n, 0, 1],
    ["when the first is back", 20n * SECOND_NS, 1, 20],
    ["when the second is nearly back", 39n * SECOND_NS, 1, 1],
    ["when both are back", 40n * SECOND_NS, 2, 20],
    ["long after that", 4_000n * SECOND_NS, 2, 20],
  ])("after two of three is what the next one leaves, %s", (_title, waitedNs, remaining, nextInSeconds) => {
    const { rates, clock } = limiterAt();
    const limit = limitOf(3, 60_000);
    passing(rates, limit, 2);
    clock.nowNs += waitedNs;
    expect(rates.take(limit)).toEqual({ limit, allowed: true, remaining, nextInSeconds });
  });

  test.each(EXTREMES)("is a whole number of seconds from 1 up, of %s", (_title, limit) => {
    const { rates } = limiterAt();
    const longest = Math.ceil(Number(partOf(limit)) / 1e9);
    expect(rates.take(limit)).toEqual({ limit, allowed: true, remaining: limit.requests - 1, nextInSeconds: longest });
    passing(rates, limit, limit.requests - 1);
    expect(rates.take(limit)).toEqual({ limit, allowed: false, remaining: 0, nextInSeconds: longest });
  });
});

const anyLimit = fc.record({
  requests: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 })),
  windowMs: fc.integer({ min: 1, max: LONGEST_MS / 1_000 }).map((seconds) => seconds * 1_000),
  cell: fc.constant(0),
});
const anyWait = fc.oneof(fc.constant(0n), fc.bigInt(0n, 3n * SECOND_NS), fc.bigInt(0n, 86_400n * SECOND_NS));

test("who comes again when told to is let through, and so are as many as were left and one more", () => {
  fc.assert(
    fc.property(anyLimit, fc.array(anyWait, { minLength: 1, maxLength: 60 }), (limit, waits) => {
      const { rates, clock } = limiterAt();
      let last = rates.take(limit);
      for (const wait of waits) {
        clock.nowNs += wait;
        last = rates.take(limit);
      }
      clock.nowNs += BigInt(last.nextInSeconds) * SECOND_NS;
      const back = Math.min(last.remaining + 1, 50);
      expect(last.nextInSeconds).toBeGreaterThanOrEqual(1);
      expect(passing(rates, limit, back)).toBe(back);
    }),
  );
});

test("whatever the limits and times, the answers are those of a count in whole numbers", () => {
  fc.assert(
    fc.property(
      fc.array(anyLimit, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(anyWait, fc.nat(2)), { minLength: 1, maxLength: 80 }),
      (limits, steps) => {
        const { rates, clock } = limiterAt();
        let freeAtNs = 0n;
        for (const [wait, which] of steps) {
          clock.nowNs += wait;
          const limit = limits[which % limits.length] ?? limitOf(1, 1_000);
          const part = partOf(limit);
          const latest = clock.nowNs + part * BigInt(limit.requests);
          freeAtNs = [freeAtNs, latest].reduce((one, other) => (one < other ? one : other));
          const after = (freeAtNs > clock.nowNs ? freeAtNs : clock.nowNs) + part;
          const allowed = after <= latest;
          if (allowed) freeAtNs = after;
          const remaining = Number((latest - freeAtNs) / part);
          const waitNs = freeAtNs - latest + part * BigInt(remaining + 1);
          const nextInSeconds = Number((waitNs + SECOND_NS - 1n) / SECOND_NS);
          expect(rates.take(limit)).toEqual({ limit, allowed, remaining, nextInSeconds });
        }
      },
    ),
  );
});

describe("a limit that was used up and is changed", () => {
  test.each<[title: string, before: RateLimit, after: RateLimit, waitNs: bigint]>([
    ["to a shorter window", limitOf(1, LONGEST_MS), limitOf(1, 1_000), SECOND_NS],
    ["to a shorter window of more", limitOf(10, LONGEST_MS), limitOf(100, 60_000), (60n * SECOND_NS) / 100n],
    ["to more in the same window", limitOf(10, 60_000), limitOf(60, 60_000), SECOND_NS],
    ["to fewer in the same window", limitOf(60, 60_000), limitOf(10, 60_000), 6n * SECOND_NS],
  ])("%s is used up until one part of the new one is over", (_title, before, after, waitNs) => {
    const { rates, clock } = limiterAt();
    passing(rates, before, before.requests);
    expect(rates.take(after)).toMatchObject({ allowed: false, nextInSeconds: Math.ceil(Number(waitNs) / 1e9) });
    clock.nowNs += waitNs - 1n;
    expect(rates.take(after).allowed).toBe(false);
    clock.nowNs += 1n;
    expect(passing(rates, after, 2)).toBe(1);
    clock.nowNs += BigInt(after.windowMs) * 1_000_000n;
    expect(passing(rates, after, after.requests + 1)).toBe(after.requests);
  });

  test("to a longer window has left what of the new one has not been used", () => {
    const { rates } = limiterAt();
    passing(rates, limitOf(10, 60_000), 10);
    // A minute of an hour is used.
    expect(passing(rates, limitOf(60, 3_600_000), 60)).toBe(59);
  });
});

describe("a cell", () => {
  test.each<[title: string, left: bigint]>([
    ["as far in the future as it goes", 2n ** 63n - 1n],
    ["a nanosecond more than a window in the future", SOME_DAY_NS + 60n * SECOND_NS + 1n],
    ["a whole window in the future", SOME_DAY_NS + 60n * SECOND_NS],
  ])("that another key left %s is used up, and no longer than the window", (_title, left) => {
    const { rates, clock, cells } = limiterAt();
    cells[0] = left;
    expect(rates.take(limitOf(2, 60_000))).toMatchObject({ allowed: false, nextInSeconds: 30 });
    clock.nowNs += 60n * SECOND_NS;
    expect(passing(rates, limitOf(2, 60_000), 3)).toBe(2);
  });

  test.each<[title: string, left: bigint]>([
    ["as far in the past as it goes", -(2n ** 63n)],
    ["a nanosecond in the past", SOME_DAY_NS - 1n],
    ["now", SOME_DAY_NS],
  ])("that another key left %s is a fresh one", (_title, left) => {
    const { rates, cells } = limiterAt();
    cells[0] = left;
    expect(passing(rates, limitOf(2, 60_000), 3)).toBe(2);
  });

  test("that two keys have in common counts the requests of both, and another one those of none of them", () => {
    const { rates } = limiterAt();
    const key = limitOf(3, 60_000, 1);
    const successor = limitOf(3, 60_000, 1);
    expect([rates.take(key).remaining, rates.take(successor).remaining, rates.take(key).remaining]).toEqual([2, 1, 0]);
    expect([rates.take(key).allowed, rates.take(successor).allowed]).toEqual([false, false]);
    expect(passing(rates, limitOf(3, 60_000, 2), 4)).toBe(3);
    expect(passing(rates, limitOf(3, 60_000, 0), 4)).toBe(3);
  });

  test("that does not exist lets nothing pass", () => {
    const cells = new BigInt64Array(new SharedArrayBuffer(RATE_CELLS * BigInt64Array.BYTES_PER_ELEMENT));
    const rates = createRateLimiter(cells, () => SOME_DAY_NS);
    expect(rates.take(limitOf(1, 1_000, RATE_CELLS - 1)).allowed).toBe(true);
    expect(() => rates.take(limitOf(1, 1_000, RATE_CELLS))).toThrow(RangeError);
    expect(() => rates.take(limitOf(1, 1_000, -1))).toThrow(RangeError);
  });

  test("is not moved by what is refused", () => {
    const { rates, cells } = limiterAt();
    const limit = limitOf(5, 60_000);
    passing(rates, limit, 5);
    const left = cells[0];
    expect(passing(rates, limit, 1_000)).toBe(0);
    expect(cells[0]).toBe(left);
  });
});

describe("a thread that another one overtakes", () => {
  const limit = limitOf(3, 60_000);

  /** Two limiters over one cell: while the first asks for the time, `meanwhile` happens, once. */
  function overtaken(meanwhile: (other: RateLimiter, clock: { nowNs: bigint }) => void) {
    const { clock, cells, rates: other } = limiterAt();
    let happened = false;
    const rates = createRateLimiter(cells, () => {
      const asked = clock.nowNs;
      if (!happened) meanwhile(other, clock);
      happened = true;
      return asked;
    });
    return { rates, other, clock };
  }

  test("counts after it", () => {
    const { rates, other } = overtaken((faster) => faster.take(limit));
    expect(rates.take(limit)).toMatchObject({ allowed: true, remaining: 1 });
    expect(other.take(limit)).toMatchObject({ allowed: true, remaining: 0 });
    expect(rates.take(limit).allowed).toBe(false);
  });

  test("is refused where that one took the last", () => {
    const { rates } = overtaken((faster) => passing(faster, limit, 3));
    expect(rates.take(limit)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test("gives nothing back, however late it learns of the time", () => {
    const { rates, other, clock } = overtaken((faster, time) => {
      time.nowNs += 19n * SECOND_NS;
      passing(faster, limit, 3);
    });
    expect(rates.take(limit)).toMatchObject({ allowed: false, nextInSeconds: 20 });
    clock.nowNs += 19n * SECOND_NS;
    expect(other.take(limit)).toMatchObject({ allowed: false, nextInSeconds: 1 });
  });
});

test("of what several threads ask at the same time, exactly so many pass", async () => {
  const THREADS = 4;
  // Enough to keep each thread busy for longer than the system lets it run without a pause.
  const TRIES = 200_000;
  const limits = [limitOf(1, LONGEST_MS, 0), limitOf(1_000, LONGEST_MS, 1), limitOf(TRIES, LONGEST_MS, 2)];
  const cells = new BigInt64Array(new SharedArrayBuffer(8 * limits.length));
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const child = new URL("./children/take.ts", import.meta.url);
  const workers = Array.from({ length: THREADS }, () => {
    return new Worker(child, { workerData: { cells, gate, limits, tries: TRIES, threads: THREADS } });
  });
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0] as number[]));
  const passed = limits.map((_, index) => counts.reduce((sum, own) => sum + (own[index] ?? 0), 0));
  expect(passed).toEqual([1, 1_000, TRIES]);
});

describe.each(LIMITS)("peeking at %s", (_, limit) => {
  test("answers what the next request would be answered, and counts nothing", () => {
    const { rates, clock, cells } = limiterAt();
    for (let step = 0; step < 20; step++) {
      const before = [...cells];
      const peeked = rates.peek(limit);
      expect(rates.peek(limit)).toEqual(peeked);
      expect([...cells]).toEqual(before);
      expect(rates.take(limit)).toEqual(peeked);
      clock.nowNs += partOf(limit) / 3n;
    }
  });
});

test("peeking at a limit that a cell does not fit leaves the cell as it is", () => {
  const { rates, cells } = limiterAt();
  cells[0] = SOME_DAY_NS + 1_000_000n * BigInt(LONGEST_MS);
  const before = [...cells];
  expect(rates.peek(limitOf(2, 60_000))).toMatchObject({ allowed: false, nextInSeconds: 30 });
  expect([...cells]).toEqual(before);
  expect(rates.take(limitOf(2, 60_000))).toMatchObject({ allowed: false, nextInSeconds: 30 });
  expect([...cells]).not.toEqual(before);
});
