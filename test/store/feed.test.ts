import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { BEGINNING, KEPT_REVISIONS, type Position } from "../../src/store/feed.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

/** The store at a revision, with the mark that its feed has there. */
function at(path: string, revision: number): Position {
  const db = new Database(path, { readonly: true });
  const mark = db.prepare<[number], number>("SELECT mark FROM changes WHERE revision = ?").pluck().get(revision) ?? 0;
  db.close();
  return { revision, mark };
}

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
    const { position, digests: told } = openedReader(path).changesSince(at(path, since));
    expect({ revision: position.revision, told }).toEqual({ revision: 3, told: digests });
  });

  test("0 of an untouched store are none", () => {
    expect(openedReader(newStore().path).changesSince(BEGINNING)).toEqual({ position: BEGINNING, digests: [] });
  });

  test("some of an untouched store are all: it is not the store it was", () => {
    expect(openedReader(newStore().path).changesSince({ revision: 5, mark: 1 })).toEqual({
      position: BEGINNING,
      digests: "all",
    });
  });
});

test("the changes after a revision that has come about in another way are all", () => {
  const { store, path } = newStore();
  for (const name of ["a", "b", "c"]) store.createKey(sampleKey(name), local, 1);
  const { revision, mark } = at(path, 2);
  const reader = openedReader(path);
  expect(reader.changesSince({ revision, mark }).digests).toEqual([digestOf("c")]);
  expect(reader.changesSince({ revision, mark: mark + 1 }).digests).toBe("all");
});

describe("a change of many keys at once", () => {
  test.each([
    { title: "tells each of 999", keys: 999, told: 1_000 },
    { title: "tells of everything where there are more than 1,000 digests", keys: 1_000, told: "all" },
  ])("$title", ({ keys, told }) => {
    const { store, path } = newStore();
    const owner = { tenant: undefined, name: "user/a" };
    for (let number = 0; number < keys; number++) {
      store.createKey(sampleKey(`${number}`, { owner: owner.name }), local, 1);
    }
    const reader = openedReader(path);
    const before = reader.position();
    store.createOwner({ ...owner, displayName: "", scopes: undefined, disabled: true }, local, 1);
    const { position, digests } = reader.changesSince(before);
    expect(position.revision).toBe(before.revision + 1);
    // The owner itself has an entry too.
    expect(digests === "all" ? digests : digests.length).toBe(told);
    expect(reader.changesSince(position)).toEqual({ position, digests: [] });
  });
});

describe("a feed that was pruned", () => {
  const last = KEPT_REVISIONS + 5;

  /** A store at `last`, its feed written by hand up to the revision before. */
  function longStore(): string {
    const { store, path } = newStore();
    const db = new Database(path);
    const insert = db.prepare("INSERT INTO changes (revision, mark, digest) VALUES (?, 1, ?)");
    db.transaction(() => {
      for (let revision = 1; revision < last; revision++) insert.run(revision, Buffer.alloc(32, 1 + (revision % 255)));
    })();
    db.close();
    store.createKey(sampleKey("k"), local, 1);
    return path;
  }

  test.each([
    {
      title: "the first revision that it keeps is told change by change",
      since: last - KEPT_REVISIONS + 1,
      told: KEPT_REVISIONS - 1,
    },
    { title: "the one before is all", since: last - KEPT_REVISIONS, told: "all" },
    { title: "the beginning is all", since: 0, told: "all" },
    { title: "the last but one is one change", since: last - 1, told: 1 },
  ])("$title", ({ since, told }) => {
    const path = longStore();
    const { position, digests } = openedReader(path).changesSince(at(path, since));
    expect(position.revision).toBe(last);
    expect(digests === "all" ? digests : digests.length).toBe(told);
  });
});
