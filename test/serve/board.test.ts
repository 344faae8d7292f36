import { Worker } from "node:worker_threads";
import { describe, expect, onTestFinished, test } from "vitest";
import { createBoard, enforced, NOT_FOLLOWING, openBoard, publish } from "../../src/serve/threads/board.ts";
import { until } from "../support/until.ts";

describe("a board", () => {
  test.each([0, 1, 2, 3, 17, 64])("for %i check threads has cells that share no byte", (threads) => {
    const board = createBoard(threads);
    const opened = openBoard(board.buffer, threads);
    opened.head.fill(1n);
    opened.applied.fill(2n);
    opened.serving.fill(3);
    expect([...board.head]).toEqual([1n]);
    expect([...board.applied]).toEqual(Array.from({ length: threads }, () => 2n));
    expect([...board.serving]).toEqual(Array.from({ length: threads }, () => 3));
  });

  test("begins with threads that follow nothing and serve nothing", () => {
    const { head, applied, serving } = createBoard(2);
    expect({ head: [...head], applied: [...applied], serving: [...serving] }).toEqual({
      head: [0n],
      applied: [NOT_FOLLOWING, NOT_FOLLOWING],
      serving: [0, 0],
    });
  });
});

describe("a revision is enforced", () => {
  test.each<[string, readonly bigint[], number, boolean | undefined]>([
    ["once the only thread has applied it", [7n], 7, true],
    ["not while it is one behind", [6n], 7, false],
    ["where a thread is ahead", [8n], 7, true],
    ["where all of several threads have", [7n, 9n, 7n], 7, true],
    ["not while the last of several has not", [7n, 9n, 6n], 7, false],
    ["where a thread follows nothing: it holds nothing stale", [7n, NOT_FOLLOWING], 7, true],
    ["not by a thread at 0", [0n], 1, false],
    ["or not is no question without check threads", [], 7, undefined],
  ])("%s", async (_, applied, revision, expected) => {
    const board = createBoard(applied.length);
    board.applied.set(applied);
    expect(await enforced(board, revision, 20)).toBe(expected);
  });

  test("as soon as another thread publishes it", async () => {
    const board = createBoard(2);
    board.applied.set([7n, 6n]);
    const waiting = enforced(board, 7, 60_000);
    const body = `
      const { workerData } = require("node:worker_threads");
      const applied = new BigInt64Array(workerData.buffer, 8, 2);
      Atomics.store(applied, 1, 7n);
      Atomics.notify(applied, 1);
    `;
    const worker = new Worker(body, { eval: true, workerData: { buffer: board.buffer } });
    onTestFinished(async () => {
      await worker.terminate();
    });
    expect(await waiting).toBe(true);
  });

  test("when the thread that it waits for dies", async () => {
    const board = createBoard(1);
    board.applied[0] = 3n;
    const events: string[] = [];
    const waiting = enforced(board, 9, 60_000).then((answer) => events.push(`enforced: ${answer}`));
    events.push("the thread dies");
    publish(board.applied, 0, NOT_FOLLOWING);
    await waiting;
    expect(events).toEqual(["the thread dies", "enforced: true"]);
  });

  test("only by the revision itself, not by an earlier one that is published first", async () => {
    const board = createBoard(1);
    board.applied[0] = 0n;
    let answer: boolean | undefined;
    const waiting = enforced(board, 3, 60_000).then((value) => {
      answer = value;
    });
    for (const revision of [1n, 2n]) {
      publish(board.applied, 0, revision);
      await new Promise(setImmediate);
      expect(answer).toBe(undefined);
    }
    publish(board.applied, 0, 3n);
    await waiting;
    await until("it is told", () => answer === true);
  });
});
