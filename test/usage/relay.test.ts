import { describe, expect, test } from "vitest";
import type { UsageBatch } from "../../src/usage/batch.ts";
import { createUsageRelay } from "../../src/usage/relay.ts";

const batch = (source: string, seq: number, uses = 1): UsageBatch => ({
  thread: 0,
  source,
  seq,
  keys: [
    {
      keyId: "k",
      uses,
      lastUsedAtMs: 1,
      lastUsedIp: undefined,
      networks: [],
      userAgents: [],
      denials: new Map(),
      lastDeniedAtMs: 0,
      lastDeniedIp: undefined,
    },
  ],
});

function relayForTest(maxWaiting?: number) {
  const toWriter: string[] = [];
  const toCheck: string[] = [];
  const relay = createUsageRelay(
    ({ source, seq }) => toWriter.push(`${source}${seq}`),
    (_, source, seq) => toCheck.push(`${source}${seq}`),
    maxWaiting,
  );
  return { relay, toWriter, toCheck };
}

describe("the relay between check threads and the writer", () => {
  test("sends the writer one batch of each source at a time, in order", () => {
    const { relay, toWriter, toCheck } = relayForTest();
    for (const [source, seq] of [
      ["a", 1],
      ["b", 1],
      ["a", 2],
      ["a", 3],
    ] as const) {
      relay.take(batch(source, seq));
    }
    expect(toWriter).toEqual(["a1", "b1"]);
    relay.written("a", 1);
    relay.written("a", 2);
    expect([toWriter, toCheck]).toEqual([
      ["a1", "b1", "a2", "a3"],
      ["a1", "a2"],
    ]);
  });

  test("sends a new writer what the dead one had not written down, and takes the answer once", () => {
    const { relay, toWriter, toCheck } = relayForTest();
    relay.take(batch("a", 1));
    relay.take(batch("a", 2));
    relay.resend();
    relay.written("a", 1);
    relay.written("a", 1);
    relay.written("c", 1);
    expect([toWriter, toCheck]).toEqual([["a1", "a1", "a2"], ["a1"]]);
  });

  test("is settled once all is written down", async () => {
    const { relay } = relayForTest();
    await relay.settled();
    relay.take(batch("a", 1));
    relay.take(batch("b", 1));
    let settled = false;
    const done = relay.settled().then(() => {
      settled = true;
    });
    relay.written("a", 1);
    await Promise.resolve();
    expect(settled).toBe(false);
    relay.written("b", 1);
    await done;
    expect(settled).toBe(true);
  });

  test("gives up what is beyond its bound, counts it, and lets its thread go on", () => {
    const { relay, toWriter, toCheck } = relayForTest(1);
    relay.take(batch("a", 1));
    relay.take(batch("b", 1, 7));
    expect([toWriter, toCheck, relay.lostUses]).toEqual([["a1"], ["b1"], 7]);
  });
});
