import { expect, test } from "vitest";
import { createHandOver } from "../../src/usage/hand-over.ts";
import { createUsageTally } from "../../src/usage/tally.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { reasonOf } from "../support/verdict.ts";

test("a burst from 100,000 addresses is counted to the last request, and keeps a hundred networks of the key", () => {
  const { store } = newStore();
  store.createKey(sampleKey("a"), local, 1);
  let lost = 0;
  const tally = createUsageTally(() => lost++);
  const alerts: number[] = [];
  const handOver = createHandOver(
    { thread: 0, source: "s" },
    tally,
    (batch) => alerts.push(store.recordUsage(batch, 1)?.[0]?.newNetworks.length ?? -1),
    () => undefined,
  );
  const secret = secretOf("a");
  const check = createSampleCheck({ store: storeOf({ [secret]: recordOf({ id: "key_a" }) }), noteKey: tally.note });
  for (let index = 0; index < 100_000; index++) {
    // Each from a network of its own.
    const sourceAddress = `${10 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.7`;
    const answer = check({ headers: [["authorization", `Bearer ${secret}`]], sourceAddress });
    if (index % 10_000 === 0) expect(reasonOf(answer)).toBe("allowed");
  }
  expect(tally.size).toBe(1);
  handOver.tick(2);
  expect(store.keyById("key_a")?.usage?.count).toBe(100_000);
  expect(store.sightingsOf("key_a").networks).toHaveLength(100);
  expect([lost, alerts]).toEqual([100_000 - 100, [99]]);
});
