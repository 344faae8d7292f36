import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createKeyCache } from "../../src/store/cache.ts";
import { BEGINNING } from "../../src/store/feed.ts";
import { createFollower } from "../../src/store/follow.ts";
import type { OwnerFields, OwnerName } from "../../src/store/owners.ts";
import type { Store } from "../../src/store/store.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

const admin = { name: "akey_1", source: "192.0.2.1" };
const ALICE: OwnerName = { tenant: "acme", name: "user/alice" };
const PLAIN: OwnerFields = { displayName: "", scopes: undefined, disabled: false };
const LIMITED: OwnerFields = { displayName: "Alice", scopes: ["a", "b:*"], disabled: false };

/** Who is not ALICE by one character, or by having no tenant. */
const NEIGHBOURS: readonly (readonly [title: string, owner: OwnerName])[] = [
  ["of another tenant", { tenant: "acm", name: "user/alice" }],
  ["without a tenant", { tenant: undefined, name: "user/alice" }],
  ["of another name", { tenant: "acme", name: "user/alic" }],
  ["of another case", { tenant: "acme", name: "user/Alice" }],
  ["of another kind", { tenant: "acme", name: "users/alice" }],
];

/** A key of an owner, in its tenant. */
function keyOf(name: string, owner: OwnerName, scopes: readonly string[] = []) {
  return sampleKey(name, { owner: owner.name, tenant: owner.tenant, scopes });
}

/** Keeps a key for ALICE, `hers`, and one for each of the neighbours, by their titles. */
function withKeys(store: Store): void {
  store.createKey(keyOf("hers", ALICE), local, 1);
  for (const [title, owner] of NEIGHBOURS) store.createKey(keyOf(title, owner), local, 1);
  store.createKey(sampleKey("nobody's", { tenant: "acme" }), local, 1);
}

/** What the audit trail and the change feed say of the last revision. */
function lastOf(path: string): { audit: unknown; digests: readonly string[] } {
  const db = new Database(path, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  const audit = db.prepare("SELECT actor, action, target, detail FROM audit ORDER BY seq DESC LIMIT 1").get();
  const digests = db
    .prepare<[], string>("SELECT lower(hex(digest)) FROM changes WHERE revision = (SELECT max(revision) FROM changes)")
    .pluck()
    .all();
  return { audit, digests };
}

describe("an owner that is registered", () => {
  test.each<[title: string, fields: OwnerFields, disabledAtMs: number | undefined]>([
    ["with nothing but its name", PLAIN, undefined],
    ["with all there is", LIMITED, undefined],
    ["with an empty list, which is not the same as none", { ...PLAIN, scopes: [] }, undefined],
    ["as disabled", { ...PLAIN, disabled: true }, 5],
  ])("%s is kept as it was said", (_, fields, disabledAtMs) => {
    const { store, path } = newStore();
    const made = store.createOwner({ ...ALICE, ...fields }, admin, 5);
    const written = { disabledAtMs, createdAtMs: 5, createdBy: "akey_1", updatedAtMs: 5, revision: 1 };
    expect(made).toEqual({ ...ALICE, ...fields, ...written });
    expect(openedStore(path).ownerOf(ALICE)).toEqual(made);
  });

  test("without a tenant has none", () => {
    const { store } = newStore();
    const owner = { tenant: undefined, name: "service/ci" };
    expect(store.createOwner({ ...owner, ...PLAIN }, local, 1)).toMatchObject(owner);
    expect(store.ownerOf(owner)).toMatchObject(owner);
  });

  test.each(NEIGHBOURS)("is not the one %s", (_, other) => {
    const { store } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    expect(store.ownerOf(other)).toBeUndefined();
    expect(store.createOwner({ ...other, ...LIMITED }, local, 2)).toMatchObject(other);
    expect(store.ownerOf(ALICE)).toMatchObject({ ...PLAIN, revision: 1 });
  });

  test("cannot be registered again, and stays as it was", () => {
    const { store } = newStore();
    const made = store.createOwner({ ...ALICE, ...LIMITED }, local, 1);
    expect(() => store.createOwner({ ...ALICE, ...PLAIN }, admin, 2)).toThrow("conflict");
    expect([store.ownerOf(ALICE), store.revision()]).toEqual([made, 1]);
  });

  test("is told of in the audit trail, with its tenant where it has one", () => {
    const { store, path } = newStore();
    store.createOwner({ ...ALICE, ...LIMITED }, admin, 1);
    const detail = JSON.stringify({ tenant: "acme", ...LIMITED });
    const event = { actor: "akey_1", action: "owners.create", detail };
    expect(lastOf(path).audit).toEqual({ ...event, target: "acme user/alice" });
    store.createOwner({ ...ALICE, tenant: undefined, ...PLAIN }, admin, 1);
    expect(lastOf(path).audit).toMatchObject({
      target: "user/alice",
      detail: '{"displayName":"","scopes":null,"disabled":false}',
    });
  });

  test("never has a scope that could not be read back", () => {
    const { store } = newStore();
    expect(() => store.createOwner({ ...ALICE, ...PLAIN, scopes: ["a b"] }, local, 1)).toThrow(RangeError);
    expect([store.ownerOf(ALICE), store.revision()]).toEqual([undefined, 0]);
  });
});

describe("an update", () => {
  test("sets what people say of an owner, and nothing else", () => {
    const { store } = newStore();
    const before = store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    const after = store.updateOwner(ALICE, { ...LIMITED, disabled: true }, admin, 2, 1);
    const disabled = { disabled: true, disabledAtMs: 2 };
    expect(after).toEqual({ ...before, ...LIMITED, ...disabled, updatedAtMs: 2, revision: 2 });
    expect(store.ownerOf(ALICE)).toEqual(after);
  });

  test("keeps the time since which an owner is disabled, and forgets it with enabling", () => {
    const { store } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN, disabled: true }, local, 1);
    expect(store.updateOwner(ALICE, { ...LIMITED, disabled: true }, local, 2, 1)?.disabledAtMs).toBe(1);
    expect(store.updateOwner(ALICE, LIMITED, local, 3, 2)).toMatchObject({ disabled: false, disabledAtMs: undefined });
    expect(store.updateOwner(ALICE, { ...LIMITED, disabled: true }, local, 4, 3)?.disabledAtMs).toBe(4);
  });

  test("forgets a list, which is not the same as emptying it", () => {
    const { store } = newStore();
    store.createOwner({ ...ALICE, ...LIMITED }, local, 1);
    expect(store.updateOwner(ALICE, { ...LIMITED, scopes: [] }, local, 2, 1)?.scopes).toEqual([]);
    expect(store.updateOwner(ALICE, { ...LIMITED, scopes: undefined }, local, 3, 2)?.scopes).toBeUndefined();
  });

  test("of the revision that is there is made, of another it is not, and nothing is written", () => {
    const { store, path } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    openedStore(path).updateOwner(ALICE, { ...PLAIN, displayName: "faster" }, admin, 2, 1);
    expect(store.updateOwner(ALICE, LIMITED, local, 3, 1)).toBeUndefined();
    expect([store.ownerOf(ALICE)?.displayName, store.revision()]).toEqual(["faster", 2]);
    expect(store.updateOwner(ALICE, LIMITED, local, 3, 2)?.displayName).toBe("Alice");
  });

  test.each(NEIGHBOURS)("does not touch the owner %s", (_, other) => {
    const { store } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    const before = store.createOwner({ ...other, ...PLAIN }, local, 1);
    store.updateOwner(ALICE, LIMITED, local, 2, 1);
    expect(store.ownerOf(other)).toEqual(before);
  });

  test("of an owner that is not registered finds nothing", () => {
    const { store } = newStore();
    expect([store.updateOwner(ALICE, LIMITED, local, 1, 0), store.revision()]).toEqual([undefined, 0]);
  });

  test("is told with what was and what is", () => {
    const { store, path } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    store.updateOwner(ALICE, LIMITED, admin, 2, 1);
    const detail = JSON.stringify({ tenant: "acme", before: { ...PLAIN, scopes: null }, after: LIMITED });
    const told = { actor: "akey_1", action: "owners.update", target: "acme user/alice" };
    const { audit } = lastOf(path);
    expect(audit).toMatchObject(told);
    expect(JSON.parse((audit as { detail: string }).detail)).toEqual(JSON.parse(detail));
  });
});

describe("deleting an owner", () => {
  test("revokes its keys, with a reason, and no others", () => {
    const { store } = newStore();
    withKeys(store);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    expect(store.deleteOwner(ALICE, admin, 9, revision)).toBe(1);
    expect(store.ownerOf(ALICE)).toBeUndefined();
    expect(store.keyById("key_hers")).toMatchObject({
      revoked: true,
      revokedAtMs: 9,
      revokedBy: "akey_1",
      revokeReason: "the owner user/alice was deleted",
      updatedAtMs: 9,
      revision: revision + 1,
    });
    const others = ["nobody's", ...NEIGHBOURS.map(([title]) => title)];
    expect(others.filter((title) => store.keyById(`key_${title}`)?.revoked !== false)).toEqual([]);
  });

  test.each(NEIGHBOURS)("leaves the owner %s registered", (_, other) => {
    const { store } = newStore();
    const before = store.createOwner({ ...other, ...LIMITED }, local, 1);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    expect(store.deleteOwner(ALICE, local, 2, revision)).toBe(0);
    expect(store.ownerOf(other)).toEqual(before);
  });

  test("leaves a key alone that was revoked before, and does not count it", () => {
    const { store } = newStore();
    for (const name of ["one", "two"]) store.createKey(keyOf(name, ALICE), local, 1);
    store.revokeKey("key_one", "earlier", local, 2);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 3);
    const before = store.keyById("key_one");
    expect(store.deleteOwner(ALICE, local, 4, revision)).toBe(1);
    expect(store.keyById("key_one")).toMatchObject({
      revokedAtMs: 2,
      revokeReason: "earlier",
      revision: before?.revision,
    });
  });

  test("revokes disabled, expired and rotated keys too", () => {
    const { store } = newStore();
    store.createKey(keyOf("disabled", ALICE), local, 1);
    store.setKeyDisabled("key_disabled", true, local, 2);
    store.createKey({ ...keyOf("expired", ALICE), expiresAtMs: 2 }, local, 1);
    const old = store.createKey(keyOf("rotated", ALICE), local, 1);
    store.rotateKey("key_rotated", keyOf("successor", ALICE), 50, local, 2, old.revision);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 3);
    expect(store.deleteOwner(ALICE, local, 4, revision)).toBe(4);
    const names = ["disabled", "expired", "rotated", "successor"];
    expect(names.map((name) => store.keyById(`key_${name}`)?.revoked)).toEqual([true, true, true, true]);
  });

  test("leaves its keys revoked when the owner is registered again", () => {
    const { store, path } = newStore();
    store.createKey(keyOf("k", ALICE), local, 1);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 2);
    store.deleteOwner(ALICE, local, 3, revision);
    store.createOwner({ ...ALICE, ...PLAIN }, local, 4);
    expect(openedReader(path).find(digestOf("k"))?.revoked).toBe(true);
    expect(store.standingKeysOf(ALICE)).toBe(0);
  });

  test("of the revision that is there is made, of another it is not, and nothing is written", () => {
    const { store, path } = newStore();
    store.createKey(keyOf("k", ALICE), local, 1);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 2);
    openedStore(path).updateOwner(ALICE, LIMITED, admin, 3, revision);
    expect(store.deleteOwner(ALICE, local, 4, revision)).toBeUndefined();
    expect([store.keyById("key_k")?.revoked, store.ownerOf(ALICE)?.scopes, store.revision()]).toEqual([
      false,
      LIMITED.scopes,
      revision + 1,
    ]);
    expect(store.deleteOwner(ALICE, local, 4, revision + 1)).toBe(1);
  });

  test("that is not registered finds nothing, and revokes nothing", () => {
    const { store } = newStore();
    const { revision } = store.createKey(keyOf("k", ALICE), local, 1);
    expect(store.deleteOwner(ALICE, local, 2, 0)).toBeUndefined();
    expect([store.keyById("key_k")?.revoked, store.revision()]).toEqual([false, revision]);
  });

  test("is told of, with how many keys it ended", () => {
    const { store, path } = newStore();
    withKeys(store);
    const { revision } = store.createOwner({ ...ALICE, ...PLAIN }, local, 2);
    store.deleteOwner(ALICE, admin, 3, revision);
    const told = {
      actor: "akey_1",
      action: "owners.delete",
      target: "acme user/alice",
      detail: '{"tenant":"acme","revokedKeys":1}',
    };
    expect(lastOf(path).audit).toEqual(told);
  });
});

describe("a list of owners", () => {
  const names: readonly OwnerName[] = [
    { tenant: undefined, name: "project/p" },
    { tenant: undefined, name: "user/b" },
    { tenant: "acme", name: "service/z" },
    { tenant: "acme", name: "user/a" },
    { tenant: "acme2", name: "user/a" },
  ];
  const listed = () => {
    const { store } = newStore();
    for (const owner of names.toReversed()) store.createOwner({ ...owner, ...PLAIN }, local, 1);
    return (filter: Partial<Parameters<Store["listOwners"]>[0]>) =>
      store.listOwners({ limit: 10, ...filter }).map(({ tenant, name }) => ({ tenant, name }));
  };

  test("is in the order of tenants and names, those without a tenant first", () => {
    expect(listed()({})).toEqual(names);
  });

  test.each<[title: string, filter: Partial<Parameters<Store["listOwners"]>[0]>, from: number, to: number]>([
    ["of a tenant has only its", { tenant: "acme" }, 2, 4],
    ["of another tenant has only that one's", { tenant: "acme2" }, 4, 5],
    ["of a tenant that nobody has is empty", { tenant: "acm" }, 0, 0],
    ["of three has the first three", { limit: 3 }, 0, 3],
    ["behind one without a tenant goes on from there", { after: names[0] }, 1, 5],
    ["behind the last without a tenant goes on with the first tenant", { after: names[1] }, 2, 5],
    ["behind the last of a tenant goes on with the next tenant", { after: names[3] }, 4, 5],
    ["behind one that is gone goes on where it would stand", { after: { tenant: "acme", name: "t" } }, 3, 5],
    ["behind the last is empty", { after: names[4] }, 0, 0],
    ["of a tenant, behind its first", { tenant: "acme", after: names[2] }, 3, 4],
  ])("%s", (_, filter, from, to) => {
    expect(listed()(filter)).toEqual(names.slice(from, to));
  });
});

describe("the keys of an owner", () => {
  test("are counted as long as they are not revoked, whatever else they are", () => {
    const { store } = newStore();
    withKeys(store);
    store.createKey({ ...keyOf("expired", ALICE), expiresAtMs: 2 }, local, 1);
    store.createKey(keyOf("revoked", ALICE), local, 1);
    store.revokeKey("key_revoked", "", local, 2);
    expect(store.standingKeysOf(ALICE)).toBe(2);
    expect(NEIGHBOURS.map(([, owner]) => store.standingKeysOf(owner))).toEqual(NEIGHBOURS.map(() => 1));
    expect(store.standingKeysOf({ tenant: "acme", name: "user/nobody" })).toBe(0);
  });

  test("tell what they were given, each scope once, without what was given to revoked ones", () => {
    const { store } = newStore();
    store.createKey(keyOf("one", ALICE, ["a", "b:*"]), local, 1);
    store.createKey(keyOf("two", ALICE, ["b:*", "c"]), local, 1);
    store.createKey(keyOf("gone", ALICE, ["d"]), local, 1);
    store.revokeKey("key_gone", "", local, 2);
    store.createKey(keyOf("other", { ...ALICE, tenant: "acm" }, ["e"]), local, 1);
    expect(store.scopesGivenTo(ALICE).toSorted()).toEqual(["a", "b:*", "c"]);
    expect(store.scopesGivenTo({ tenant: "acme", name: "user/nobody" })).toEqual([]);
  });

  test("are read with what is registered of it, and those of its neighbours are not", () => {
    const { store, path } = newStore();
    withKeys(store);
    store.createOwner({ ...ALICE, ...LIMITED, disabled: true }, local, 2);
    const reader = openedReader(path);
    expect(reader.find(digestOf("hers"))?.ownerLimits).toEqual({ disabled: true, scopes: LIMITED.scopes });
    expect(store.keyById("key_hers")?.ownerLimits).toEqual({ disabled: true, scopes: LIMITED.scopes });
    const others = ["nobody's", ...NEIGHBOURS.map(([title]) => title)];
    expect(others.filter((title) => reader.find(digestOf(title))?.ownerLimits !== undefined)).toEqual([]);
  });

  test.each<[title: string, change: (store: Store, revision: number) => unknown, limits: object | undefined]>([
    [
      "narrowed",
      (store, revision) => store.updateOwner(ALICE, { ...LIMITED, scopes: [] }, local, 3, revision),
      { disabled: false, scopes: [] },
    ],
    [
      "disabled",
      (store, revision) => store.updateOwner(ALICE, { ...PLAIN, disabled: true }, local, 3, revision),
      { disabled: true, scopes: undefined },
    ],
    ["deleted", (store, revision) => store.deleteOwner(ALICE, local, 3, revision), undefined],
  ])("are read anew by who follows, once it is %s", (_, change, limits) => {
    const { store, path } = newStore();
    withKeys(store);
    const { revision } = store.createOwner({ ...ALICE, ...LIMITED }, local, 2);
    const reader = openedReader(path);
    const cache = createKeyCache(reader, { maxKeys: 10, maxUnknown: 10 });
    const follower = createFollower(reader, cache);
    expect(cache.find(digestOf("hers"))?.ownerLimits).toEqual({ disabled: false, scopes: LIMITED.scopes });
    cache.find(digestOf("of another name"));
    change(store, revision);
    follower.follow();
    expect(cache.find(digestOf("hers"))?.ownerLimits).toEqual(limits);
    const { misses } = cache.counters;
    cache.find(digestOf("of another name"));
    expect(cache.counters.misses).toBe(misses);
  });
});

describe("the change feed names", () => {
  /** Registers ALICE with so many keys; returns what a reader is told of that. */
  function toldOf(count: number) {
    const { store, path } = newStore();
    for (let key = 0; key < count; key++) store.createKey(keyOf(`k${key}`, ALICE), local, 1);
    const reader = openedReader(path);
    const before = reader.position();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 2);
    return reader.changesSince(before).digests;
  }

  test("an owner without keys by a digest that no secret has, so that no change is missed", () => {
    const { store, path } = newStore();
    store.createOwner({ ...ALICE, ...PLAIN }, local, 1);
    const [created] = lastOf(path).digests;
    store.deleteOwner(ALICE, local, 2, 1);
    expect(lastOf(path).digests).toEqual([created]);
    expect(openedReader(path).changesSince(BEGINNING).digests).toEqual([created, created]);
  });

  test("every key of an owner", () => {
    const told = toldOf(3);
    expect(told).toHaveLength(4);
    expect(told).toEqual(expect.arrayContaining(["k0", "k1", "k2"].map(digestOf)));
  });

  test.each([
    { title: "999 keys one by one", count: 999, told: 1_000 },
    { title: "everything, where there are 1,000 keys and the owner", count: 1_000, told: "all" },
  ])("$title", ({ count, told }) => {
    const digests = toldOf(count);
    expect(digests === "all" ? digests : digests.length).toBe(told);
  });
});
