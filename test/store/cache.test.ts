import { expect, test } from "vitest";
import type { KeyRecord } from "../../src/key/record.ts";
import { createKeyCache } from "../../src/store/cache.ts";
import { createFollower } from "../../src/store/follow.ts";
import { everyKeyStorePasses } from "./support/key-store-suite.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

const bounds = { maxKeys: 10, maxUnknown: 10 };

everyKeyStorePasses("a cache that follows", (path) => {
  const reader = openedReader(path);
  const cache = createKeyCache(reader, bounds);
  return { keys: cache, follow: createFollower(reader, cache).follow };
});

/** A store with the named keys behind a cache. */
function cacheOf(names: readonly string[], given = bounds) {
  const { store, path } = newStore();
  for (const name of names) store.createKey(sampleKey(name), local, 1);
  return { store, cache: createKeyCache(openedReader(path), given) };
}

test("the store is asked once for each digest, known or not", () => {
  const { cache } = cacheOf(["k"]);
  for (let round = 0; round < 3; round++) {
    cache.find(digestOf("k"));
    cache.find(digestOf("x"));
  }
  expect(cache.counters).toMatchObject({ hits: 2, unknownHits: 2, misses: 2 });
});

test("a flood of unknown digests pushes out no key", () => {
  const { cache } = cacheOf(["a", "b"]);
  const known = [digestOf("a"), digestOf("b")];
  for (const digest of known) cache.find(digest);
  for (let number = 0; number < 1000; number++) cache.find(digestOf(`stranger ${number}`));
  const before = cache.counters.misses;
  for (const digest of known) expect(cache.find(digest)).toBeDefined();
  expect(cache.counters).toMatchObject({ hits: 2, misses: before });
});

test("no more unknown digests are kept than the bound", () => {
  const { cache } = cacheOf([]);
  for (let number = 0; number <= bounds.maxUnknown; number++) cache.find(digestOf(`stranger ${number}`));
  cache.find(digestOf("stranger 1"));
  cache.find(digestOf("stranger 0"));
  expect(cache.counters).toMatchObject({ hits: 0, unknownHits: 1, misses: bounds.maxUnknown + 2 });
  expect(cache.counters.evictions).toEqual({ known: 0, unknown: 2 });
});

test("of too many keys the one used longest ago goes first", () => {
  const { cache } = cacheOf(["a", "b", "c"], { maxKeys: 2, maxUnknown: 1 });
  for (const name of ["a", "b", "a", "c", "a", "b"]) cache.find(digestOf(name));
  expect(cache.counters).toMatchObject({ hits: 2, misses: 4, evictions: { known: 2, unknown: 0 } });
  expect(cache.sizes()).toMatchObject({ known: 2, unknown: 0, bytes: expect.any(Number) });
  cache.drop(digestOf("a"), 3);
  cache.clear(3);
  expect(cache.counters.evictions).toEqual({ known: 2, unknown: 0 });
  expect(cache.sizes()).toEqual({ known: 0, unknown: 0, bytes: 0 });
});

test("keys with long lists are bounded by their bytes", () => {
  const { store, cache } = cacheOf([], { maxKeys: 2000, maxUnknown: 1 });
  const paths = Array.from({ length: 50 }, (_, number) => `/${String(number).padEnd(1000, "x")}`);
  const names = Array.from({ length: 60 }, (_, number) => `long ${number}`);
  for (const name of names) store.createKey(sampleKey(name, { paths }), local, 1);
  cache.clear(store.revision());
  for (const name of names) cache.find(digestOf(name));
  for (const name of names.toReversed()) cache.find(digestOf(name));
  // 2,048,000 bytes hold 39 keys of some 52,000 bytes each.
  expect(cache.counters.hits).toBe(39);
});

test("even the smallest cache holds the largest key", () => {
  const { store, cache } = cacheOf([], { maxKeys: 1, maxUnknown: 1 });
  const scopes = Array.from({ length: 100 }, (_, number) => String(number).padEnd(128, "x"));
  const paths = Array.from({ length: 50 }, (_, number) => `/${String(number).padEnd(1023, "x")}`);
  store.createKey(sampleKey("large", { scopes, paths }), local, 1);
  cache.clear(store.revision());
  cache.find(digestOf("large"));
  cache.find(digestOf("large"));
  expect(cache.counters.hits).toBe(1);
});

test("what was read ahead of the followed changes is answered, and not kept", () => {
  const { store, cache } = cacheOf([], { maxKeys: 10, maxUnknown: 10 });
  store.createKey(sampleKey("ahead"), local, 1);
  for (let time = 0; time < 2; time++) expect(cache.find(digestOf("ahead"))?.id).toBe("key_ahead");
  expect(cache.counters).toMatchObject({ hits: 0, unknownHits: 0, misses: 2 });
  cache.drop(digestOf("ahead"), store.revision());
  for (let time = 0; time < 2; time++) cache.find(digestOf("ahead"));
  expect(cache.counters).toMatchObject({ hits: 1, unknownHits: 0, misses: 3 });
});

test("a dropped digest is read again, and no other", () => {
  const { cache } = cacheOf(["a", "b"]);
  for (const name of ["a", "b", "x"]) cache.find(digestOf(name));
  cache.drop(digestOf("a"), 2);
  for (const name of ["a", "b", "x"]) cache.find(digestOf(name));
  expect(cache.counters).toMatchObject({ hits: 1, unknownHits: 1, misses: 4 });
});

test("a cleared cache reads everything again", () => {
  const { cache } = cacheOf(["a"]);
  for (const name of ["a", "x"]) cache.find(digestOf(name));
  cache.clear(1);
  for (const name of ["a", "x"]) cache.find(digestOf(name));
  expect(cache.counters).toMatchObject({ hits: 0, unknownHits: 0, misses: 4 });
});

test("a record older than what was applied is answered and not kept", () => {
  const { store, path } = newStore();
  store.createKey(sampleKey("k"), local, 1);
  const old = openedReader(path).find(digestOf("k"));
  // A store that lags: it still gives the record of revision 1 when revision 2 has been applied.
  let [revision, record]: [number, KeyRecord | undefined] = [1, old];
  const cache = createKeyCache({ findAt: () => ({ revision, record }), revision: () => revision }, bounds);
  cache.drop(digestOf("k"), 2);
  expect(cache.find(digestOf("k"))?.revoked).toBe(false);

  [revision, record] = [2, store.revokeKey("key_k", "", local, 2)];
  expect(cache.find(digestOf("k"))?.revoked).toBe(true);
  expect(cache.find(digestOf("k"))?.revoked).toBe(true);
  expect(cache.counters).toMatchObject({ hits: 1, misses: 2 });
});

test("a store that cannot tell is not taken for an unknown key", () => {
  const { path } = newStore();
  const reader = openedReader(path);
  const cache = createKeyCache(reader, bounds);
  reader.close();
  for (let time = 0; time < 2; time++) expect(() => cache.find(digestOf("k"))).toThrow("closed");
  expect(cache.counters).toMatchObject({ hits: 0, unknownHits: 0, misses: 2 });
});
