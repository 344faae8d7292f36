import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";
import { tamper, verified } from "./support/trail.ts";

const program = { name: "retention", source: "local" };

/** Forgets what ended before 100. */
const purge = (store: Store, limit = 100) => store.purgeEndedKeys(100, limit, program, 1_000);

/** How many rows of a table are about a key. */
function rowsAbout(path: string, table: string, keyId: string): unknown {
  const db = new Database(path, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  return db.prepare(`SELECT count(*) FROM ${table} WHERE key_id = ?`).pluck().get(keyId);
}

describe("a purge of ended keys", () => {
  test.each<[title: string, make: (store: Store) => void, count: number]>([
    ["a key that was revoked before", (store) => store.revokeKey("key_k", "", local, 99), 1],
    ["a key that was revoked just then", (store) => store.revokeKey("key_k", "", local, 100), 0],
    ["a key that is active", () => {}, 0],
    ["a key that is disabled", (store) => store.setKeyDisabled("key_k", true, local, 50), 0],
    ["a key whose grace ended before", rotate(99), 1],
    ["a key whose grace ended just then", rotate(100), 0],
    ["a key that was rotated without grace before", rotate(5), 1],
    ["a key that expired before and was disabled just then", expired(50, 100), 0],
    ["a key that expired before and was disabled before", expired(50, 99), 1],
    ["a key that expired just then", expired(100, 99), 0],
  ])("has with %s %#", (_, make, count) => {
    const { store } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    make(store);
    expect(purge(store)).toBe(count);
    expect(store.keyById("key_k") === undefined).toBe(count === 1);
  });

  test("leaves nothing that was noted down about a key, and all about others", () => {
    const { store, path } = newStore();
    for (const name of ["a", "b"]) {
      const mark = { requestId: `r-${name}`, fingerprint: Buffer.alloc(32) };
      store.createKey(sampleKey(name), local, 1, mark);
      tamper(
        path,
        `INSERT INTO key_usage VALUES ('key_${name}', 1, 1, NULL);
         INSERT INTO key_sightings VALUES ('key_${name}', 'network', '192.0.2.0/24', 1, 1)`,
      );
    }
    store.revokeKey("key_a", "", local, 2);
    purge(store);
    const left = (key: string) =>
      ["key_usage", "key_sightings", "request_ids"].map((table) => rowsAbout(path, table, key));
    expect([left("key_a"), left("key_b")]).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  test("is told of each key, with its tenant, in one revision that check threads follow", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("a", { tenant: "acme", owner: "user/a", name: "A" }), local, 1);
    store.createKey(sampleKey("b"), local, 2);
    for (const [index, name] of ["a", "b"].entries()) store.revokeKey(`key_${name}`, "", local, 10 + index);
    const reader = openedReader(path);
    const before = reader.position();
    expect([purge(store), store.revision()]).toEqual([2, 5]);
    expect(reader.changesSince(before).digests.toString().split(",").sort()).toEqual(["a", "b"].map(digestOf).sort());
    const { events } = store.listEvents({ action: "keys.purge", order: "oldest first", limit: 10 });
    expect(events.map((event) => [event.revision, event.actor, event.target, event.tenant, event.detail])).toEqual([
      [5, "retention", "key_a", "acme", '{"tenant":"acme","owner":"user/a","name":"A","endedAtMs":10}'],
      [5, "retention", "key_b", undefined, '{"owner":null,"name":"b","endedAtMs":11}'],
    ]);
    expect(verified(store)).toBe(undefined);
  });

  test("goes on in steps, with those first that ended first", () => {
    const { store } = newStore();
    for (const name of ["a", "b", "c"]) store.createKey(sampleKey(name), local, 1);
    for (const [index, name] of ["c", "a", "b"].entries()) store.revokeKey(`key_${name}`, "", local, 10 + index);
    const left = () => store.listKeys({ nowMs: 1, limit: 10 }).map(({ id }) => id);
    expect([purge(store, 2), left()]).toEqual([2, ["key_b"]]);
    expect([purge(store, 2), left()]).toEqual([1, []]);
    expect([purge(store, 2), store.revision()]).toEqual([0, 8]);
  });
});

function rotate(graceEndsAtMs: number) {
  return (store: Store) => {
    store.rotateKey("key_k", sampleKey("l"), graceEndsAtMs, local, 5, 1);
  };
}

/** A key that expires at a time, and was disabled at another. */
function expired(expiresAtMs: number, disabledAtMs: number) {
  return (store: Store) => {
    store.updateKey("key_k", sampleKey("k", { expiresAtMs }), local, 2);
    store.setKeyDisabled("key_k", true, local, disabledAtMs);
  };
}
