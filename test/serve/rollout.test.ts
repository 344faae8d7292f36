import { expect, test } from "vitest";
import type { Log } from "../../src/observe/log.ts";
import { createRollout } from "../../src/serve/threads/rollout.ts";
import { until } from "../support/until.ts";

function rollout(slowAfterMs?: number) {
  const lines: unknown[] = [];
  const log: Log = (level, _, fields) => lines.push([level, fields]);
  const made = createRollout(["writer", "check 0"], log, slowAfterMs);
  const reached: number[] = [];
  const wait = (configuration: number) => made.reached(configuration).then(() => reached.push(configuration));
  return { ...made, wait, reached, lines };
}

test("a configuration is reached once every thread obeys it, or a later one", async () => {
  const { obeys, wait, reached } = rollout();
  const [first, second, third] = [wait(1), wait(2), wait(3)];
  obeys("writer", 2);
  obeys("check 0", 1);
  await first;
  expect(reached).toEqual([1]);
  obeys("check 0", 3);
  await second;
  expect(reached).toEqual([1, 2]);
  obeys("writer", 3);
  await third;
  expect(reached).toEqual([1, 2, 3]);
});

test("a thread that was never heard of obeys nothing", async () => {
  const { obeys, wait, reached } = rollout();
  const start = wait(0);
  obeys("writer", 0);
  expect(reached).toEqual([]);
  obeys("check 0", 0);
  await start;
  expect(reached).toEqual([0]);
});

test("what is reached already is not waited for, and no thread is told to be slow", async () => {
  const { obeys, reached: _, wait, lines } = rollout(0);
  obeys("writer", 1);
  obeys("check 0", 1);
  await wait(1);
  expect(lines).toEqual([]);
});

test("threads that take long are named in the log, once", async () => {
  const { obeys, wait, lines } = rollout(1);
  const reached = wait(1);
  obeys("check 0", 1);
  await until("it is told", () => lines.length > 0);
  obeys("writer", 1);
  await reached;
  expect(lines).toEqual([["warn", { threads: ["writer"] }]]);
});
