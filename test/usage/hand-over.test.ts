import { describe, expect, test } from "vitest";
import type { UsageBatch } from "../../src/usage/batch.ts";
import { createHandOver } from "../../src/usage/hand-over.ts";
import { createUsageTally } from "../../src/usage/tally.ts";
import { recordOf } from "../support/sample-keys.ts";

function handOverForTest() {
  const sent: UsageBatch[] = [];
  const settled: number[] = [];
  const tally = createUsageTally(() => undefined);
  const handOver = createHandOver(
    { thread: 2, source: "s" },
    tally,
    (batch) => sent.push(batch),
    (untilMs) => settled.push(untilMs),
  );
  const use = (...ids: string[]) => {
    for (const id of ids) tally.note(recordOf({ id }), "allowed", undefined, undefined, 1);
  };
  return { handOver, sent, settled, use };
}

const idsIn = (batch: UsageBatch | undefined) => batch?.keys.map(({ keyId, uses }) => [keyId, uses]);

describe("a check thread", () => {
  test("hands nothing over where there is nothing, and says that all is known", () => {
    const { handOver, sent, settled } = handOverForTest();
    handOver.tick(10);
    expect([sent, settled]).toEqual([[], [10]]);
  });

  test("sends one batch, and the next only once that one is written down, however often it is asked", () => {
    const { handOver, sent, settled, use } = handOverForTest();
    use("a", "a", "b");
    handOver.tick(10);
    use("a", "c");
    for (let atMs = 11; atMs < 100; atMs++) handOver.tick(atMs);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ thread: 2, source: "s", seq: 1 });
    expect(idsIn(sent[0])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(settled).toEqual([]);
    handOver.written("s", 1);
    expect([sent.length, settled]).toEqual([1, [10]]);
    handOver.tick(100);
    expect(sent[1]?.seq).toBe(2);
    expect(idsIn(sent[1])).toEqual([
      ["a", 1],
      ["c", 1],
    ]);
  });

  test("takes no answer that is meant for its predecessor, or that came before", () => {
    const { handOver, sent, settled, use } = handOverForTest();
    use("a");
    handOver.tick(10);
    handOver.written("another", 1);
    handOver.written("s", 0);
    expect(settled).toEqual([]);
    handOver.written("s", 1);
    handOver.written("s", 1);
    expect([sent.length, settled]).toEqual([1, [10]]);
  });

  test("with more keys than fit into a message sends several in a row, and what is new waits for the next round", () => {
    const { handOver, sent, settled, use } = handOverForTest();
    use(...Array.from({ length: 2_500 }, (_, index) => `key_${index}`));
    handOver.tick(10);
    use("late");
    handOver.written("s", 1);
    handOver.written("s", 2);
    expect(sent.map(({ keys }) => keys.length)).toEqual([1_000, 1_000, 500]);
    expect(settled).toEqual([]);
    handOver.written("s", 3);
    expect([sent.length, settled]).toEqual([3, [10]]);
    handOver.tick(11);
    expect(idsIn(sent[3])).toEqual([["late", 1]]);
  });

  test("at its end sends all that is left, also while a batch is under way", () => {
    const { handOver, sent, use } = handOverForTest();
    use("a");
    handOver.tick(10);
    use(...Array.from({ length: 1_500 }, (_, index) => `key_${index}`));
    handOver.finish();
    expect(sent.map(({ seq, keys }) => [seq, keys.length])).toEqual([
      [1, 1],
      [2, 1_000],
      [3, 500],
    ]);
  });
});
