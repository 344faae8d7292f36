import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { KEPT_REVISIONS } from "../../src/store/feed.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

describe("the changes after a revision", () => {
  test.each<{ since: number; digests: string[] | "all" }>([
    { since: 0, digests: [digestOf("a"), digestOf("b"), digestOf("a")] },
    { since: 1, digests: [digestOf("b"), digestOf("a")] },
    { since: 2, digests: [digestOf("a")] },
    { since: 3, digests: [] },
    { since: 4, digests: "all" },
  ])("$since of 3", ({ since, digests }) => {
    const { store, path } = newStore();
    for (const name of ["a", "b"]) store.createKey(sampleKey(name), local, 1);
    store.revokeKey("key_a", "", local, 2);
    expect(openedReader(path).changesSince(since)).toEqual({ revision: 3, digests });
  });

  test("0 of an untouched store are none", () => {
    expect(openedReader(newStore().path).changesSince(0)).toEqual({ revision: 0, digests: [] });
  });

  test("some of an untouched store are all: it is not the store it was", () => {
    expect(openedReader(newStore().path).changesSince(5)).toEqual({ revision: 0, digests: "all" });
  });
});

describe("a feed that was pruned", () => {
  const last = KEPT_REVISIONS + 5;

  /** A store at `last`, its feed written by hand up to the revision before. */
  function longStore(): string {
    const { store, path } = newStore();
    const db = new Database(path);
    const insert = db.prepare("INSERT INTO changes (revision, digest) VALUES (?, ?)");
    db.transaction(() => {
      for (let revision = 1; revision < last; revision++) insert.run(revision, Buffer.alloc(32, revision));
    })();
    db.close();
    store.createKey(sampleKey("k"), local, 1);
    return path;
  }

  test.each([
    {
      title: "one revision before what it keeps is told change by change",
      since: last - KEPT_REVISIONS,
      told: KEPT_REVISIONS,
    },
    { title: "two before is all", since: last - KEPT_REVISIONS - 1, told: "all" },
    { title: "the beginning is all", since: 0, told: "all" },
    { title: "the last but one is one change", since: last - 1, told: 1 },
  ])("$title", ({ since, told }) => {
    const { revision, digests } = openedReader(longStore()).changesSince(since);
    expect(revision).toBe(last);
    expect(digests === "all" ? digests : digests.length).toBe(told);
  });
});
