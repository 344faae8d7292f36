import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { batchOf, seen, tallyOf } from "../usage/support/tallies.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

function storeWithKeys(...names: string[]) {
  const made = newStore();
  for (const name of names) made.store.createKey(sampleKey(name), local, 1);
  return made;
}

describe("a batch of usage", () => {
  test("adds up, keeps the latest use, and is no change of the key", () => {
    const { store, path } = storeWithKeys("a");
    const before = store.keyById("key_a");
    expect(before?.usage).toBeUndefined();
    store.recordUsage(batchOf(1, [tallyOf("key_a", { uses: 3, lastUsedAtMs: 50, lastUsedIp: "192.0.2.1" })]), 60);
    store.recordUsage(batchOf(1, [tallyOf("key_a", { uses: 2, lastUsedAtMs: 40, lastUsedIp: "192.0.2.2" })], "t"), 61);
    expect(store.keyById("key_a")).toEqual({ ...before, usage: { count: 5, lastAtMs: 50, lastIp: "192.0.2.1" } });
    store.recordUsage(batchOf(2, [tallyOf("key_a", { uses: 1, lastUsedAtMs: 51 })]), 62);
    expect(store.keyByDigest(digestOf("a"))?.usage).toEqual({ count: 6, lastAtMs: 51, lastIp: undefined });
    expect(store.revision()).toBe(1);
    expect(openedReader(path).find(digestOf("a"))).toMatchObject({ id: "key_a", revision: 1 });
  });

  test("that is sent again is not counted again, also by a writer that was started since", () => {
    const { store, path } = storeWithKeys("a");
    const batch = batchOf(1, [tallyOf("key_a", { uses: 3, networks: [seen("10.0.0.0/24", 1)] })]);
    expect(store.recordUsage(batch, 1)).toHaveLength(1);
    const next = openedStore(path);
    expect(next.recordUsage(batch, 2)).toBeUndefined();
    expect(next.keyById("key_a")?.usage?.count).toBe(3);
    expect(next.recordUsage({ ...batch, seq: 2 }, 3)).toHaveLength(1);
    expect(next.keyById("key_a")?.usage?.count).toBe(6);
  });

  test("leaves out keys that there are none of", () => {
    const { store, path } = storeWithKeys("a");
    const recorded = store.recordUsage(batchOf(1, [tallyOf("key_gone"), tallyOf("key_a")]), 1);
    expect(recorded?.map(({ tally }) => tally.keyId)).toEqual(["key_a"]);
    const db = new Database(path, { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    expect(db.prepare("SELECT key_id FROM key_usage").pluck().all()).toEqual(["key_a"]);
  });

  test("of denials alone is no use", () => {
    const { store } = storeWithKeys("a");
    const tally = tallyOf("key_a", { uses: 0, lastUsedAtMs: 0, denials: new Map([["key_revoked", 2]]) });
    expect(store.recordUsage(batchOf(1, [tally]), 1)).toEqual([{ tally, newNetworks: [] }]);
    expect(store.keyById("key_a")?.usage).toBeUndefined();
  });

  test("waits for nobody: while another program holds the lock it is busy at once, and later it is taken", () => {
    const { path } = storeWithKeys("a");
    const patient = openedStore(path);
    const holder = new Database(path);
    onTestFinished(() => {
      holder.close();
    });
    holder.exec("BEGIN IMMEDIATE");
    const batch = batchOf(1, [tallyOf("key_a")]);
    expect(() => patient.recordUsage(batch, 1)).toThrow(expect.objectContaining({ code: "busy" }));
    holder.exec("ROLLBACK");
    expect(patient.recordUsage(batch, 2)).toHaveLength(1);
    expect(patient.keyById("key_a")?.usage?.count).toBe(1);
  });

  test("is kept whole or not at all", () => {
    const { store } = storeWithKeys("a");
    const broken = tallyOf("key_a", { networks: [{ ...seen("10.0.0.0/24", 1), firstMs: Number.NaN }] });
    expect(() => store.recordUsage(batchOf(1, [tallyOf("key_a"), broken]), 1)).toThrow();
    expect(store.keyById("key_a")?.usage).toBeUndefined();
    expect(store.recordUsage(batchOf(1, [tallyOf("key_a")]), 2)).toHaveLength(1);
  });
});

describe("networks", () => {
  test("are new but for the first of a key, and once only", () => {
    const { store } = storeWithKeys("a", "b");
    let seq = 0;
    const see = (key: string, ...networks: ReturnType<typeof seen>[]) => {
      const recorded = store.recordUsage(batchOf(++seq, [tallyOf(key, { networks })]), 1);
      return recorded?.[0]?.newNetworks.map(({ value }) => value);
    };
    expect(see("key_a", seen("10.0.0.0/24", 5, 9))).toEqual([]);
    expect(see("key_a", seen("10.0.0.0/24", 10))).toEqual([]);
    expect(see("key_a", seen("10.0.1.0/24", 11), seen("10.0.0.0/24", 12))).toEqual(["10.0.1.0/24"]);
    // Of those of the first batch the earliest is the first.
    expect(see("key_b", seen("10.0.2.0/24", 4), seen("10.0.1.0/24", 3))).toEqual(["10.0.2.0/24"]);
    expect(store.sightingsOf("key_a")).toEqual({
      networks: [seen("10.0.0.0/24", 5, 12), seen("10.0.1.0/24", 11)],
      userAgents: [],
    });
    expect(store.sightingsOf("key_gone")).toEqual({ networks: [], userAgents: [] });
  });

  test.each([
    ["networks", 100],
    ["userAgents", 20],
  ] as const)("and %s beyond %i push out those that were seen the longest ago", (kind, kept) => {
    const { store } = storeWithKeys("a");
    const sightings = Array.from({ length: kept + 1 }, (_, index) => seen(`value ${index}`, index));
    store.recordUsage(batchOf(1, [tallyOf("key_a", { [kind]: sightings.slice(0, kept) })]), 1);
    store.recordUsage(batchOf(2, [tallyOf("key_a", { [kind]: [seen("value 0", 0, 5_000)] })]), 1);
    store.recordUsage(batchOf(3, [tallyOf("key_a", { [kind]: sightings.slice(kept) })]), 1);
    const values = store.sightingsOf("key_a")[kind].map(({ value }) => value);
    expect([values.length, values[0], values[1]]).toEqual([kept, "value 0", `value ${kept}`]);
    expect(values).not.toContain("value 1");
  });
});

describe("a list of keys not used for so long", () => {
  test.each([
    ["a key that was used then", { lastUsedAtMs: 400 }, true],
    ["a key that was used one millisecond later", { lastUsedAtMs: 401 }, false],
  ])("with %s: %o → %s", (_, more, isListed) => {
    const { store } = storeWithKeys("a");
    store.recordUsage(batchOf(1, [tallyOf("key_a", more)]), 1);
    const found = store.listKeys({ unusedForMs: 600, nowMs: 1_000, limit: 9 });
    expect(found.map(({ id }) => id)).toEqual(isListed ? ["key_a"] : []);
  });

  test.each([
    ["was made then", 400, true],
    ["was made one millisecond later", 401, false],
  ])("with a key that was never used and %s", (_, madeAtMs, isListed) => {
    const { store } = newStore();
    store.createKey(sampleKey("a"), local, madeAtMs);
    const found = store.listKeys({ unusedForMs: 600, nowMs: 1_000, limit: 9 });
    expect(found.map(({ id }) => id)).toEqual(isListed ? ["key_a"] : []);
  });
});
