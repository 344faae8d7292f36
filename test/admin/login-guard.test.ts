import { describe, expect, test } from "vitest";
import { createLoginGuard } from "../../src/admin/login/login-guard.ts";

/** A guard whose time stands still until it is told, and what it waits for. */
function guarded() {
  let nowMs = 0;
  const waits: number[] = [];
  const ends: (() => void)[] = [];
  const guard = createLoginGuard(
    new AbortController().signal,
    () => nowMs,
    (ms) => {
      waits.push(ms);
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  );
  return {
    guard,
    waits,
    pass: (ms: number) => {
      nowMs += ms;
    },
    end: () => {
      for (const done of ends.splice(0)) done();
    },
    fail: (address: string, count: number) => {
      for (let index = 0; index < count; index++) void guard.failed(address);
    },
  };
}

describe("failures of one address", () => {
  test("are free ten times, and wait longer each time from then on", () => {
    const { fail, waits } = guarded();
    fail("192.0.2.1", 10);
    expect(waits).toEqual([]);
    fail("192.0.2.1", 3);
    expect(waits).toEqual([100, 200, 300]);
  });

  test("wait two seconds at the most", () => {
    const { fail, end, waits } = guarded();
    for (let round = 0; round < 6; round++) {
      fail("192.0.2.1", 10);
      end();
    }
    expect(Math.max(...waits)).toBe(2_000);
  });

  test("are forgotten, one in six seconds", () => {
    const { fail, pass, waits } = guarded();
    fail("192.0.2.1", 10);
    pass(12_000);
    fail("192.0.2.1", 2);
    expect(waits).toEqual([]);
    fail("192.0.2.1", 1);
    expect(waits).toEqual([100]);
  });

  test("do not slow another address, nor keep it out", () => {
    const { guard, fail, waits } = guarded();
    fail("192.0.2.1", 31);
    expect([guard.admits("192.0.2.1"), guard.admits("192.0.2.2")]).toEqual([false, true]);
    waits.length = 0;
    fail("192.0.2.2", 1);
    expect(waits).toEqual([]);
  });

  test("are looked at again when an answer was given", async () => {
    const { guard, fail, end } = guarded();
    fail("192.0.2.1", 29);
    expect(guard.admits("192.0.2.1")).toBe(true);
    fail("192.0.2.1", 1);
    expect(guard.admits("192.0.2.1")).toBe(false);
    end();
    await Promise.resolve().then(() => {});
    expect(guard.admits("192.0.2.1")).toBe(true);
  });

  test.each([
    ["an IPv4 address and the same in IPv6", "::ffff:192.0.2.1", "192.0.2.1", false],
    ["two IPv4 addresses of one network", "192.0.2.1", "192.0.2.2", true],
    ["two addresses of one IPv6 site", "2001:db8:1::1", "2001:db8:1:2::3", false],
    ["two IPv6 sites", "2001:db8:1::1", "2001:db8:2::1", true],
  ])("count for %s as they should", (_, one, other, admitted) => {
    const { guard, fail } = guarded();
    fail(one, 30);
    expect(guard.admits(other)).toBe(admitted);
  });
});

test("many failures from everywhere make each of them wait", () => {
  const { fail, waits, pass } = guarded();
  for (let address = 0; address < 101; address++) fail(`198.51.100.${address}`, 1);
  expect(waits).toEqual([1_000]);
  pass(10_000);
  fail("192.0.2.1", 1);
  expect(waits).toEqual([1_000]);
});

test("so many wait at once that memory stays bounded, and no more", () => {
  const { fail, waits } = guarded();
  for (let index = 0; index < 5_000; index++) fail(`198.${index >> 8}.${index & 255}.1`, 1);
  expect(waits).toHaveLength(2_000);
});
