import { describe, expect, test } from "vitest";
import type { Recorded } from "../../src/store/usage.ts";
import type { UsageBatch } from "../../src/usage/batch.ts";
import { createUsageRecorder } from "../../src/usage/recorder.ts";
import { batchOf, tallyOf } from "./support/tallies.ts";

function recorderForTest() {
  const store = { broken: false, taken: [] as string[] };
  const written: string[] = [];
  const lines: string[] = [];
  const recorded: (readonly Recorded[])[] = [];
  const name = ({ source, seq }: UsageBatch) => `${source}${seq}`;
  const recorder = createUsageRecorder(
    {
      recordUsage(batch) {
        if (store.broken) throw new Error("disk gone");
        if (store.taken.includes(name(batch))) return undefined;
        store.taken.push(name(batch));
        return batch.keys.map((tally) => ({ tally, newNetworks: [] }));
      },
    },
    () => 7,
    (batch) => written.push(name(batch)),
    (result) => recorded.push(result),
    (level, message) => lines.push(`${level}: ${message}`),
  );
  return { recorder, store, written, lines, recorded };
}

describe("the writer", () => {
  test("answers a batch once it is safe, and a second time where it comes again", () => {
    const { recorder, written, recorded } = recorderForTest();
    const batch = batchOf(1, [tallyOf("a")]);
    recorder.take(batch);
    recorder.take(batch);
    expect([written, recorded.length]).toEqual([["s1", "s1"], 1]);
  });

  test("keeps what the store cannot take, says so once, and writes it down later", () => {
    const { recorder, store, written, lines } = recorderForTest();
    store.broken = true;
    recorder.take(batchOf(1, [tallyOf("a")]));
    recorder.take(batchOf(1, [tallyOf("a")], "t"));
    expect([recorder.retry(), recorder.retry(), written]).toEqual([false, false, []]);
    store.broken = false;
    expect([recorder.retry(), written]).toEqual([true, ["s1", "t1"]]);
    expect([recorder.retry(), store.taken]).toEqual([true, ["s1", "t1"]]);
    expect(lines).toEqual([
      "warn: how keys are used cannot be written down; it is kept and tried again: disk gone",
      "info: how keys are used is written down again",
    ]);
  });
});
