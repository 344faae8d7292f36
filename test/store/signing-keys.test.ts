import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { SigningAlg } from "../../src/key/signing-alg.ts";
import type { NewSigningKey, StoredSigningKey } from "../../src/store/signing-keys.ts";
import type { Store } from "../../src/store/store.ts";
import { StoreError } from "../../src/store/store-error.ts";
import { auditRows, firstBroken } from "./support/audit-chain.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

function signingKey(name: string, alg: SigningAlg = "RS256"): NewSigningKey {
  return {
    kid: `kwsk_${name}`,
    alg,
    publicJwk: { kty: "RSA", n: name, e: "AQAB" },
    sealedPrivateJwk: Buffer.from([1]),
  };
}

function kids(keys: readonly StoredSigningKey[]): string[] {
  return keys.map(({ kid }) => kid);
}

/** Keeps a signed key that ends then. */
function sign(store: Store, name: string, signedBy: string, expiresAtMs?: number) {
  return store.createKey(sampleKey(name, { alg: "RS256", signedBy, expiresAtMs }), local, 1);
}

describe("making", () => {
  test("the first signing key is kept as it was given, with who made it and when, and signs", () => {
    const { store } = newStore();
    const given = signingKey("1");
    const made = store.createSigningKey(given, { name: "akey_1", source: "10.0.0.1" }, 5);
    const times = { createdAtMs: 5, createdBy: "akey_1", retiredAtMs: undefined, tokensEndAtMs: 0 };
    expect(made).toEqual({ ...given, ...times });
    expect(store.signingKeyInUse("RS256")).toEqual(made);
    expect(store.signingKeyInUse("ES256")).toBeUndefined();
  });

  test("of two that are made at once, the first signs, and the second is not kept", () => {
    const { store, path } = newStore();
    const first = store.createSigningKey(signingKey("1"), local, 5);
    expect(openedStore(path).createSigningKey(signingKey("2"), local, 6)).toEqual(first);
    expect(store.revision()).toBe(1);
    expect(kids(store.publishedSigningKeys(7))).toEqual(["kwsk_1"]);
  });

  test("each algorithm has its own", () => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    store.createSigningKey(signingKey("2", "ES256"), local, 5);
    expect(store.signingKeyInUse("RS256")?.kid).toBe("kwsk_1");
    expect(store.signingKeyInUse("ES256")?.kid).toBe("kwsk_2");
    expect(kids(store.signingKeysInUse())).toEqual(["kwsk_1", "kwsk_2"]);
  });
});

describe("replacing", () => {
  test("a rotation puts the new one in the place of the one in use, whose private half is gone", () => {
    const { store, path } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    sign(store, "a", "kwsk_1", 100);
    const made = store.rotateSigningKey(signingKey("2"), false, local, 6);
    expect(store.signingKeyInUse("RS256")).toEqual(made);
    const [, earlier] = store.publishedSigningKeys(7);
    expect(earlier).toMatchObject({ kid: "kwsk_1", retiredAtMs: 6, sealedPrivateJwk: undefined, tokensEndAtMs: 100 });
    const db = new Database(path, { readonly: true });
    expect(db.prepare("SELECT kid FROM signing_keys WHERE private_jwk IS NOT NULL").pluck().all()).toEqual(["kwsk_2"]);
    db.close();
  });

  test("a rotation leaves those of other algorithms as they are", () => {
    const { store } = newStore();
    const other = store.createSigningKey(signingKey("1", "EdDSA"), local, 5);
    store.rotateSigningKey(signingKey("2"), true, local, 6);
    expect(store.signingKeyInUse("EdDSA")).toEqual(other);
  });

  test("a rotation without a first one makes the first", () => {
    const { store } = newStore();
    store.rotateSigningKey(signingKey("1"), false, local, 6);
    expect(store.signingKeyInUse("RS256")?.kid).toBe("kwsk_1");
  });
});

describe("publishing", () => {
  test.each<[title: string, ends: readonly (number | undefined)[], nowMs: number, published: boolean]>([
    ["has signed nothing is published no more", [], 20, false],
    ["has signed a token that has not ended is published", [100], 99, true],
    ["has signed a token that has ended is published no more", [100], 100, false],
    ["has signed two is published until the later ends", [100, 50], 99, true],
    ["has signed two is published no more once the later has ended", [50, 100], 100, false],
    ["has signed one that never ends is published for good", [100, undefined, 50], Number.MAX_SAFE_INTEGER, true],
  ])("a retired key that %s", (_, ends, nowMs, published) => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    for (const [index, end] of ends.entries()) sign(store, `k${index}`, "kwsk_1", end);
    store.rotateSigningKey(signingKey("2"), false, local, 6);
    expect(kids(store.publishedSigningKeys(nowMs))).toEqual(published ? ["kwsk_2", "kwsk_1"] : ["kwsk_2"]);
  });

  test("one in use is published whatever it has signed", () => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    sign(store, "a", "kwsk_1", 100);
    expect(kids(store.publishedSigningKeys(100))).toEqual(["kwsk_1"]);
  });

  test("an earlier one that is withdrawn is published no more, though a token of it has not ended", () => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    sign(store, "a", "kwsk_1");
    store.rotateSigningKey(signingKey("2"), false, local, 6);
    sign(store, "b", "kwsk_2");
    store.createSigningKey(signingKey("3", "ES256"), local, 7);
    store.rotateSigningKey(signingKey("4"), true, local, 8);
    expect(kids(store.publishedSigningKeys(9))).toEqual(["kwsk_4", "kwsk_3"]);
  });
});

describe("signing", () => {
  test.each<[title: string, signedBy: string]>([
    ["that was retired", "kwsk_1"],
    ["that nobody knows", "kwsk_3"],
  ])("a key of a signing key %s is a conflict, and nothing is written", (_, signedBy) => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    store.rotateSigningKey(signingKey("2"), false, local, 6);
    const revision = store.revision();
    const failure = expect(() => sign(store, "a", signedBy, 100));
    failure.toThrow(StoreError);
    failure.toThrow("store: conflict");
    expect([store.revision(), store.keyById("key_a")]).toEqual([revision, undefined]);
    expect(kids(store.publishedSigningKeys(7))).toEqual(["kwsk_2"]);
  });

  test("a successor raises the end of what its signing key has signed, a failed one does not", () => {
    const { store } = newStore();
    store.createSigningKey(signingKey("1"), local, 5);
    const { id, revision } = sign(store, "a", "kwsk_1", 100);
    const successor = sampleKey("b", { alg: "RS256", signedBy: "kwsk_1", expiresAtMs: 200 });
    expect(store.rotateKey(id, successor, 50, local, 6, revision + 1)).toBeUndefined();
    expect(store.signingKeyInUse("RS256")?.tokensEndAtMs).toBe(100);
    expect(store.rotateKey(id, successor, 50, local, 6, revision)?.alg).toBe("RS256");
    expect(store.signingKeyInUse("RS256")?.tokensEndAtMs).toBe(200);
  });
});

test("the audit trail tells which signing key has signed a key and its successor", () => {
  const { store, path } = newStore();
  store.createSigningKey(signingKey("1"), local, 5);
  const { id, revision } = sign(store, "a", "kwsk_1", 100);
  store.rotateSigningKey(signingKey("2"), false, local, 6);
  store.rotateKey(id, sampleKey("b", { alg: "RS256", signedBy: "kwsk_2" }), 50, local, 7, revision);
  const details = auditRows(path).map(({ action, detail }) => [action, JSON.parse(String(detail)).signedBy]);
  expect(details.filter(([action]) => String(action).startsWith("keys."))).toEqual([
    ["keys.create", "kwsk_1"],
    ["keys.rotate", "kwsk_2"],
  ]);
});

test("each change is in the audit trail and the feed, without the private half", () => {
  const { store, path } = newStore();
  const reader = openedReader(path);
  const before = reader.position();
  store.createSigningKey(signingKey("1"), local, 5);
  store.rotateSigningKey(signingKey("2"), true, { name: "akey_1", source: "::1" }, 6);
  const rows = auditRows(path);
  expect(rows.map(({ actor, action, target, detail }) => [actor, action, target, detail])).toEqual([
    ["local", "signing_keys.create", "kwsk_1", '{"alg":"RS256"}'],
    ["akey_1", "signing_keys.rotate", "kwsk_2", '{"alg":"RS256","predecessor":"kwsk_1","withdrawn":["kwsk_1"]}'],
  ]);
  expect(firstBroken(store.identity.uuid, rows)).toBeUndefined();
  expect(reader.changesSince(before).digests).toHaveLength(2);
});
