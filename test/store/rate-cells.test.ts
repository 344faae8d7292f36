import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { KeyFields, NewKey } from "../../src/store/keys.ts";
import { StoreError } from "../../src/store/store-error.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

const LIMIT = { requests: 5, windowMs: 60_000 };
const OTHER_LIMIT = { requests: 1, windowMs: 1_000 };
const LAST_CELL = 2 ** 20 - 1;

const limited = (name: string, more: Partial<NewKey> = {}) => sampleKey(name, { rateLimit: LIMIT, ...more });

/** A store, and how tests look at it and get around it. */
function opened() {
  const { store, path } = newStore();
  const create = (key: NewKey) => store.createKey(key, local, 1).rateLimit?.cell;
  const rotate = (from: string, to: string) => {
    const { revision = 0 } = store.keyById(`key_${from}`) ?? {};
    return store.rotateKey(`key_${from}`, limited(to), 50, local, 2, revision)?.rateLimit?.cell;
  };
  const cellOf = (name: string) => store.keyById(`key_${name}`)?.rateLimit?.cell;
  const update = (name: string, rateLimit: KeyFields["rateLimit"]) => {
    return store.updateKey(`key_${name}`, { ...sampleKey(name), rateLimit }, local, 2)?.rateLimit?.cell;
  };
  const revoke = (name: string) => store.revokeKey(`key_${name}`, "", local, 3);
  /** Uses up all cells there are by giving a key the last one, which the store would do after a million others. */
  const useUp = (name: string) => {
    const db = new Database(path);
    onTestFinished(() => {
      db.close();
    });
    db.prepare("UPDATE keys SET rate_cell = ? WHERE id = ?").run(LAST_CELL, `key_${name}`);
  };
  return { store, path, create, rotate, cellOf, update, revoke, useUp };
}

/** How a call ends: with a cell, or with the code of a StoreError. */
function outcomeOf(call: () => number | undefined): number | undefined | string {
  try {
    return call();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    return (error as StoreError).code;
  }
}

describe("the cell in which a key's requests are counted", () => {
  test("is the next one, and none where a key has no rate limit", () => {
    const { create } = opened();
    expect([create(limited("a")), create(sampleKey("b")), create(limited("c"))]).toEqual([0, undefined, 1]);
  });

  test("is what the data plane reads, with the limit", () => {
    const { create, path } = opened();
    const keys = [limited("a"), limited("b", { rateLimit: OTHER_LIMIT })];
    keys.map(create);
    const reader = openedReader(path);
    expect(keys.map(({ digest }) => reader.find(digest)?.rateLimit)).toEqual([
      { ...LIMIT, cell: 0 },
      { ...OTHER_LIMIT, cell: 1 },
    ]);
  });

  test("stays the same after a restart, and the next one follows it", () => {
    const { create, path } = opened();
    create(limited("a"));
    const again = openedStore(path);
    expect(again.keyById("key_a")?.rateLimit?.cell).toBe(0);
    expect(again.createKey(limited("b"), local, 2).rateLimit?.cell).toBe(1);
  });

  test("stays where the limit changes, and is kept for when one comes back that was taken away", () => {
    const { create, cellOf, update } = opened();
    create(limited("a"));
    expect([update("a", OTHER_LIMIT), cellOf("a")]).toEqual([0, 0]);
    expect([update("a", undefined), cellOf("a")]).toEqual([undefined, undefined]);
    expect(create(limited("b"))).toBe(1);
    expect([update("a", LIMIT), cellOf("a"), cellOf("b")]).toEqual([0, 0, 1]);
  });

  test("is given to a key that has had no limit", () => {
    const { create, update } = opened();
    create(limited("a"));
    create(sampleKey("b"));
    expect(update("b", LIMIT)).toBe(1);
  });

  test("is that of the predecessor, however often a key is rotated", () => {
    const { create, rotate, cellOf } = opened();
    create(limited("other"));
    create(limited("a"));
    expect([rotate("a", "b"), rotate("b", "c"), cellOf("a"), cellOf("b")]).toEqual([1, 1, 1, 1]);
    expect(create(limited("next"))).toBe(2);
  });

  test("is not given to another key while there are others, whatever became of its own", () => {
    const { create, revoke, store } = opened();
    const keys = [limited("revoked"), limited("expired", { expiresAtMs: 2 }), limited("disabled")];
    expect(keys.map(create)).toEqual([0, 1, 2]);
    revoke("revoked");
    store.setKeyDisabled("key_disabled", true, local, 3);
    expect(create(limited("next"))).toBe(3);
  });
});

describe("once all 1,048,576 cells are used", () => {
  test("the one before the last is still followed by the last", () => {
    const { create, path } = opened();
    create(limited("a"));
    const db = new Database(path);
    db.prepare("UPDATE keys SET rate_cell = ?").run(LAST_CELL - 1);
    db.close();
    expect(create(limited("b"))).toBe(LAST_CELL);
    expect(outcomeOf(() => create(limited("c")))).toBe("no_rate_cell");
  });

  test("no other key can have a rate limit, and nothing of it is written", () => {
    const { create, update, useUp, store } = opened();
    create(limited("a"));
    create(sampleKey("b"));
    useUp("a");
    const before = [store.revision(), store.keyById("key_b")];
    expect(outcomeOf(() => create(limited("c")))).toBe("no_rate_cell");
    expect(outcomeOf(() => update("b", LIMIT))).toBe("no_rate_cell");
    expect([store.revision(), store.keyById("key_b")]).toEqual(before);
    expect(store.keyById("key_c")).toBeUndefined();
    expect(() => create(limited("c"))).toThrow("all 1048576 rate limits are in use");
  });

  test("keys without one can be made, and those that have one changed and rotated", () => {
    const { create, update, rotate, useUp } = opened();
    create(limited("a"));
    useUp("a");
    expect(create(sampleKey("b"))).toBeUndefined();
    expect(update("a", OTHER_LIMIT)).toBe(LAST_CELL);
    expect(rotate("a", "c")).toBe(LAST_CELL);
  });

  test.each<[title: string, end: (store: ReturnType<typeof opened>) => unknown, outcome: number | string]>([
    ["that is revoked", ({ revoke }) => revoke("a"), 0],
    ["that is disabled", ({ store }) => store.setKeyDisabled("key_a", true, local, 3), "no_rate_cell"],
    ["that has expired: it can be given a longer life", ({ store }) => expire(store), "no_rate_cell"],
  ])("the cell of a key is free where it is one %s", (_, end, outcome) => {
    const all = opened();
    all.create(limited("a"));
    all.create(limited("last"));
    all.useUp("last");
    end(all);
    expect(outcomeOf(() => all.create(limited("new")))).toBe(outcome);
  });

  test("a cell that a key shares with its successor is free once both are revoked", () => {
    const { create, rotate, revoke, useUp } = opened();
    create(limited("a"));
    create(limited("last"));
    rotate("a", "b");
    useUp("last");
    revoke("a");
    expect(outcomeOf(() => create(limited("new")))).toBe("no_rate_cell");
    revoke("b");
    expect(outcomeOf(() => create(limited("new")))).toBe(0);
    expect(outcomeOf(() => create(limited("newer")))).toBe("no_rate_cell");
  });
});

function expire(store: ReturnType<typeof opened>["store"]): void {
  store.updateKey("key_a", { ...sampleKey("a"), rateLimit: LIMIT, expiresAtMs: 2 }, local, 3);
}
