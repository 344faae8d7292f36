import type { KeyTally, Sighting, UsageBatch } from "../../../src/usage/batch.ts";

/** A tally of one use at a moment, but for what the test says. */
export function tallyOf(keyId: string, more: Partial<KeyTally> = {}): KeyTally {
  return {
    keyId,
    uses: 1,
    lastUsedAtMs: 1,
    lastUsedIp: undefined,
    networks: [],
    userAgents: [],
    denials: new Map(),
    lastDeniedAtMs: 0,
    lastDeniedIp: undefined,
    ...more,
  };
}

/** A batch of a check thread. */
export function batchOf(seq: number, keys: readonly KeyTally[], source = "s"): UsageBatch {
  return { thread: 0, source, seq, keys };
}

/** What was seen from one time to another. */
export function seen(value: string, firstMs: number, lastMs: number = firstMs): Sighting {
  return { value, firstMs, lastMs };
}
