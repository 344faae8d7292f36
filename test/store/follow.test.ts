import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createKeyCache } from "../../src/store/cache.ts";
import { KEPT_REVISIONS, type Position } from "../../src/store/feed.ts";
import { createFollower } from "../../src/store/follow.ts";
import { runChild } from "./support/child.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

function followed() {
  const { store, path } = newStore();
  store.createKey(sampleKey("k"), local, 1);
  const reader = openedReader(path);
  const cache = createKeyCache(reader, { maxKeys: 10, maxUnknown: 10 });
  return { store, path, reader, cache, follower: createFollower(reader, cache) };
}

test("a follower starts at the store's revision and with an empty cache", () => {
  const { reader, cache, follower } = followed();
  expect(follower.poll()).toBe(1);
  cache.find(digestOf("k"));
  createFollower(reader, cache);
  cache.find(digestOf("k"));
  expect(cache.counters.hits).toBe(0);
});

test.each(["follow", "poll"] as const)("%s applies what another handle has changed", (how) => {
  const { store, cache, follower } = followed();
  expect(cache.find(digestOf("k"))?.revoked).toBe(false);
  store.revokeKey("key_k", "", local, 2);
  expect(cache.find(digestOf("k"))?.revoked).toBe(false);
  expect(follower[how]()).toBe(2);
  expect(cache.find(digestOf("k"))?.revoked).toBe(true);
});

test("poll applies what another process has changed, to unknown digests too", () => {
  const { path, cache, follower } = followed();
  expect(cache.find(digestOf("new"))).toBe(undefined);
  expect(runChild("create-one.ts", [path, "new"]).stdout).toBe("key_new");
  expect(follower.poll()).toBe(2);
  expect(cache.find(digestOf("new"))?.id).toBe("key_new");
});

test("what has not changed stays in the cache", () => {
  const { store, cache, follower } = followed();
  cache.find(digestOf("k"));
  store.createKey(sampleKey("other"), local, 2);
  follower.poll();
  cache.find(digestOf("k"));
  expect(cache.counters).toMatchObject({ hits: 1, misses: 1 });
});

test("poll does not read the feed while nobody commits", () => {
  const { store, reader, cache } = followed();
  let reads = 0;
  const counted = {
    ...reader,
    changesSince: (position: Position) => {
      reads++;
      return reader.changesSince(position);
    },
  };
  const follower = createFollower(counted, cache);
  for (let time = 0; time < 3; time++) follower.poll();
  expect(reads).toBe(0);
  store.revokeKey("key_k", "", local, 2);
  for (let time = 0; time < 3; time++) follower.poll();
  expect(reads).toBe(1);
});

test("a poll that could not read the feed is made up for by the next", () => {
  const { store, reader, cache } = followed();
  let broken = true;
  const flaky = {
    ...reader,
    changesSince: (position: Position) => {
      if (broken) throw new Error("disk gone");
      return reader.changesSince(position);
    },
  };
  const follower = createFollower(flaky, cache);
  store.revokeKey("key_k", "", local, 2);
  expect(() => follower.poll()).toThrow("disk gone");
  broken = false;
  expect(follower.poll()).toBe(2);
});

test("a store that was put back and has come to the same revision by another way clears the cache", async () => {
  const { store, path, cache, follower } = followed();
  const copy = `${path}.copy`;
  const before = new Database(path);
  await before.backup(copy);
  store.createKey(sampleKey("lost"), local, 2);
  store.createKey(sampleKey("lost too"), local, 3);
  follower.poll();
  expect(cache.find(digestOf("k"))?.revoked).toBe(false);
  // Put back in place, and on by as many changes, of which one is about the cached key.
  const pages = new Database(copy);
  await pages.backup(path).catch(() => undefined);
  pages.close();
  before.close();
  store.revokeKey("key_k", "", local, 4);
  store.createKey(sampleKey("other"), local, 5);
  follower.poll();
  expect(cache.find(digestOf("k"))?.revoked).toBe(true);
});

test.each([
  {
    title: "a feed that no longer reaches back",
    sql: `UPDATE changes SET revision = ${KEPT_REVISIONS}`,
    applied: KEPT_REVISIONS,
  },
  { title: "a store that was put back", sql: "DELETE FROM changes", applied: 0 },
])("$title clears the cache", ({ sql, applied }) => {
  const { path, cache, follower } = followed();
  cache.find(digestOf("k"));
  cache.find(digestOf("x"));
  const other = new Database(path);
  other.exec(sql);
  other.close();
  expect(follower.poll()).toBe(applied);
  for (let time = 0; time < 2; time++) cache.find(digestOf("k"));
  cache.find(digestOf("x"));
  expect(cache.counters).toMatchObject({ hits: 1, unknownHits: 0, misses: 4 });
});

describe("a follower knows which keys were made elsewhere", () => {
  function importing(hashing?: "sha512") {
    const { store, ...others } = followed();
    const { id: _, ...key } = sampleKey("foreign");
    store.beginImport("i", "kong", local, 1, 0);
    store.stageImport("i", { rows: [{ ...key, line: 1, hashing }], refusedCount: 0 }, 1);
    return { ...others, store, commit: () => store.commitImport("i", () => "key_foreign", local, 1) };
  }

  test.each(["follow", "poll"] as const)("once %s has applied an import", (how) => {
    const { cache, follower, commit } = importing();
    follower[how]();
    expect(cache.foreignKeys()).toBe("none");
    commit();
    expect(cache.foreignKeys()).toBe("none");
    follower[how]();
    expect([cache.foreignKeys(), cache.find(digestOf("foreign"))?.id]).toEqual(["sha256", "key_foreign"]);
  });

  test("from its start", () => {
    const { reader, cache, commit } = importing("sha512");
    commit();
    createFollower(reader, cache);
    expect(cache.foreignKeys()).toBe("sha512");
  });

  test("after an import that is too large to name its keys", () => {
    const { store, cache, follower } = importing();
    const names = Array.from({ length: 1_001 }, (_, index) => `f${index}`);
    const rows = names.map((name, line) => ({ ...sampleKey(name), line }));
    store.stageImport("i", { rows, refusedCount: 0 }, 1);
    expect([cache.find(digestOf("k"))?.revoked, cache.find(digestOf("f0"))]).toEqual([false, undefined]);
    store.commitImport("i", () => `key_${names.pop() ?? ""}`, local, 1);
    follower.follow();
    expect([cache.foreignKeys(), cache.find(digestOf("f0")) === undefined]).toEqual(["sha256", false]);
  });
});
