import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { stateOf } from "../../src/key/state.ts";
import type { KeyFields, RequestMark } from "../../src/store/keys.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 10 * HOUR_MS;
const admin = { name: "akey_1", source: "192.0.2.1" };

const fields: KeyFields = {
  name: "renamed",
  note: "new",
  metadata: { team: "b" },
  scopes: ["b"],
  inheritsScopes: false,
  paths: ["/v2"],
  methods: ["GET", "HEAD"],
  cidrs: ["10.0.0.0/8"],
  notBeforeMs: 7,
  expiresAtMs: 70,
};

const mark = (requestId: string, asked = "this"): RequestMark => ({
  requestId,
  fingerprint: Buffer.from(digestOf(asked), "hex"),
});

/** What the audit trail and the change feed say, oldest first. */
function ledgerOf(path: string): { audit: unknown[]; digests: unknown[] } {
  const db = new Database(path, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  const audit = db.prepare("SELECT revision, actor, action, target, detail FROM audit ORDER BY seq").all();
  const digests = db.prepare("SELECT revision, hex(digest) AS digest FROM changes ORDER BY revision, digest").all();
  return { audit, digests };
}

describe("an update", () => {
  test("sets every field that people say of a key, and nothing else", () => {
    const { store } = newStore();
    const before = store.createKey(sampleKey("k", { tenant: "t", owner: "user/a", scopes: ["a"] }), local, 1);
    const { networks, ...after } = store.updateKey("key_k", fields, admin, 2) ?? {};
    expect(networks?.has("10.1.1.1")).toBe(true);
    const { networks: _, ...rest } = before;
    expect(after).toEqual({ ...rest, ...fields, updatedAtMs: 2, revision: 2 });
  });

  test("clears a time that is not there any more", () => {
    const { store } = newStore();
    store.createKey(sampleKey("k", { notBeforeMs: 1, expiresAtMs: 9 }), local, 1);
    const cleared = store.updateKey("key_k", { ...fields, notBeforeMs: undefined, expiresAtMs: undefined }, admin, 2);
    expect([cleared?.notBeforeMs, cleared?.expiresAtMs]).toEqual([undefined, undefined]);
  });

  test("of the revision that is there is made, of another it is not, and nothing is written", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    expect(store.updateKey("key_k", fields, admin, 2, 2)).toBeUndefined();
    expect([store.revision(), ledgerOf(path).audit.length]).toEqual([1, 1]);
    expect(store.updateKey("key_k", fields, admin, 2, 1)?.name).toBe("renamed");
  });

  test("of a key that is not there finds nothing", () => {
    expect(newStore().store.updateKey("key_x", fields, admin, 2)).toBeUndefined();
  });

  test("is told with what was and what is, and without the note", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k", { note: "old" }), local, 1);
    store.updateKey("key_k", fields, admin, 2);
    const { audit, digests } = ledgerOf(path);
    const { note: _, metadata: __, inheritsScopes: ___, ...after } = fields;
    const lists = { scopes: [], paths: [], methods: [], cidrs: [] };
    const before = { name: "k", ...lists, notBeforeMs: null, expiresAtMs: null, rateLimit: null };
    const detail = JSON.stringify({ before, after: { ...after, rateLimit: null } });
    expect(audit[1]).toEqual({ revision: 2, actor: "akey_1", action: "keys.update", target: "key_k", detail });
    expect(digests[1]).toEqual({ revision: 2, digest: digestOf("k").toUpperCase() });
  });

  test("never stores what could not be read back", () => {
    const { store } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    expect(() => store.updateKey("key_k", { ...fields, methods: ["GET POST"] }, admin, 2)).toThrow(RangeError);
    expect(() => store.updateKey("key_k", { ...fields, cidrs: ["10.0.0/8"] }, admin, 2)).toThrow(RangeError);
    expect(store.keyById("key_k")).toMatchObject({ name: "k", revision: 1 });
  });
});

describe("disabling", () => {
  test("refuses a key, and enabling lets it open again", () => {
    const { store, path } = newStore();
    const reader = openedReader(path);
    store.createKey(sampleKey("k"), local, 1);
    expect(store.setKeyDisabled("key_k", true, admin, 2)).toMatchObject({
      disabledAtMs: 2,
      updatedAtMs: 2,
      revision: 2,
    });
    expect(reader.find(digestOf("k"))).toMatchObject({ disabled: true, revision: 2 });
    expect(store.setKeyDisabled("key_k", false, admin, 3)).toMatchObject({ disabledAtMs: undefined, revision: 3 });
    expect(reader.find(digestOf("k"))).toMatchObject({ disabled: false, revision: 3 });
  });

  test.each([true, false])("what stands so already is left alone: disabled %s", (disabled) => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    store.setKeyDisabled("key_k", true, admin, 2);
    store.setKeyDisabled("key_k", disabled, admin, 3);
    const before = [store.keyById("key_k"), ledgerOf(path)];
    store.setKeyDisabled("key_k", disabled, admin, 9);
    expect([store.keyById("key_k"), ledgerOf(path)]).toEqual(before);
  });

  test("is told of, and so is enabling", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    store.setKeyDisabled("key_k", true, admin, 2);
    store.setKeyDisabled("key_k", false, admin, 3);
    const { audit, digests } = ledgerOf(path);
    expect(audit.slice(1)).toEqual([
      { revision: 2, actor: "akey_1", action: "keys.disable", target: "key_k", detail: "{}" },
      { revision: 3, actor: "akey_1", action: "keys.enable", target: "key_k", detail: "{}" },
    ]);
    expect(digests).toHaveLength(3);
  });

  test("a key that is not there finds nothing", () => {
    expect(newStore().store.setKeyDisabled("key_x", true, admin, 2)).toBeUndefined();
  });
});

describe("a rotation", () => {
  test("keeps the successor, links both, and gives the old key its end", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("old"), local, 1);
    const made = store.rotateKey("key_old", sampleKey("new", { scopes: ["a"] }), 50, admin, 2, 1);
    expect(made).toMatchObject({ id: "key_new", predecessor: "key_old", successor: undefined, revision: 2 });
    expect(made).toMatchObject({ scopes: ["a"], createdBy: "akey_1", graceEndsAtMs: undefined });
    const old = { successor: "key_new", predecessor: undefined, graceEndsAtMs: 50, revoked: false, revision: 2 };
    expect(store.keyById("key_old")).toMatchObject(old);
    const reader = openedReader(path);
    expect(["old", "new"].map((name) => reader.find(digestOf(name))?.graceEndsAtMs)).toEqual([50, undefined]);
  });

  test("is one revision that names both digests", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("old"), local, 1);
    store.rotateKey("key_old", sampleKey("new", { expiresAtMs: 90 }), 50, admin, 2, 1);
    const { audit, digests } = ledgerOf(path);
    const detail = JSON.stringify({ successor: "key_new", graceEndsAtMs: 50, expiresAtMs: 90 });
    expect(audit.slice(1)).toEqual([
      { revision: 2, actor: "akey_1", action: "keys.rotate", target: "key_old", detail },
    ]);
    const both = ["old", "new"].map((name) => ({ revision: 2, digest: digestOf(name).toUpperCase() }));
    expect(digests.slice(1)).toHaveLength(2);
    expect(digests.slice(1)).toEqual(expect.arrayContaining(both));
  });

  test.each([
    { title: "the old key opens until the last millisecond", graceEndsAtMs: 50, nowMs: 49, state: "rotated" },
    { title: "and no more from the end of its grace on", graceEndsAtMs: 50, nowMs: 50, state: "expired" },
  ])("$title", ({ graceEndsAtMs, nowMs, state }) => {
    const { store } = newStore();
    store.createKey(sampleKey("old"), local, 1);
    store.rotateKey("key_old", sampleKey("new"), graceEndsAtMs, admin, 2, 1);
    const old = store.keyById("key_old");
    expect(old && stateOf(old, nowMs)).toBe(state);
  });

  test("without a grace period revokes the old key, with a reason", () => {
    const { store } = newStore();
    store.createKey(sampleKey("old"), local, 1);
    store.rotateKey("key_old", sampleKey("new"), 2, admin, 2, 1);
    const revocation = { revoked: true, revokedAtMs: 2, revokedBy: "akey_1", revision: 2 };
    const old = store.keyById("key_old");
    expect(old).toMatchObject({ ...revocation, revokeReason: "rotated without a grace period", successor: "key_new" });
  });

  test("of a key that somebody else has changed meanwhile is not made", () => {
    const { store, path } = newStore();
    const other = openedStore(path);
    const { revision } = store.createKey(sampleKey("old"), local, 1);
    other.revokeKey("key_old", "", local, 2);
    expect(store.rotateKey("key_old", sampleKey("new"), 50, admin, 3, revision)).toBeUndefined();
    expect([store.keyById("key_new"), store.revision()]).toEqual([undefined, 2]);
  });

  test("leaves everything as it was where the successor cannot be kept", () => {
    const { store } = newStore();
    store.createKey(sampleKey("there"), local, 1);
    const old = store.createKey(sampleKey("old"), local, 1);
    const clash = sampleKey("new", { digest: digestOf("there") });
    expect(() => store.rotateKey("key_old", clash, 50, admin, 2, old.revision, mark("r"))).toThrow("conflict");
    expect(store.keyById("key_old")).toEqual(old);
    expect(store.requestOf("akey_1", "r", 2)).toBeUndefined();
  });
});

describe("a clock that steps back by an hour", () => {
  test.each<[string, (store: ReturnType<typeof newStore>["store"]) => unknown, string]>([
    ["revoked", (store) => store.revokeKey("key_k", "", local, NOW_MS), "revoked"],
    ["disabled", (store) => store.setKeyDisabled("key_k", true, local, NOW_MS), "disabled"],
    ["rotated without grace", (store) => store.rotateKey("key_k", sampleKey("n"), NOW_MS, local, NOW_MS, 1), "revoked"],
  ])("brings no key back that was %s", (_, end, state) => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k"), local, 1);
    const reader = openedReader(path);
    const stateAt = (nowMs: number) => {
      const record = reader.find(digestOf("k"));
      return record && stateOf(record, nowMs);
    };
    expect(stateAt(NOW_MS - HOUR_MS)).toBe("active");
    end(store);
    expect([NOW_MS, NOW_MS - 1, NOW_MS - HOUR_MS].map(stateAt)).toEqual([state, state, state]);
    const listed = store.listKeys({ state: "active", nowMs: NOW_MS - HOUR_MS, limit: 10 }).map(({ id }) => id);
    expect(listed).not.toContain("key_k");
  });

  test("moves an expiry, which follows the wall clock", () => {
    const { store } = newStore();
    const key = store.createKey(sampleKey("k", { expiresAtMs: NOW_MS }), local, 1);
    expect([stateOf(key, NOW_MS), stateOf(key, NOW_MS - HOUR_MS)]).toEqual(["expired", "active"]);
  });
});

describe("a request id", () => {
  const DAY_MS = 24 * HOUR_MS;

  test("leads to the key that it made, for its caller", () => {
    const { store } = newStore();
    store.createKey(sampleKey("k"), admin, NOW_MS, mark("r"));
    const { fingerprint } = mark("r");
    expect(store.requestOf("akey_1", "r", NOW_MS)).toEqual({ keyId: "key_k", fingerprint });
    expect(store.requestOf("akey_2", "r", NOW_MS)).toBeUndefined();
    expect(store.requestOf("akey_1", "R", NOW_MS)).toBeUndefined();
  });

  test("leads to the successor of a rotation", () => {
    const { store } = newStore();
    store.createKey(sampleKey("old"), admin, 1);
    store.rotateKey("key_old", sampleKey("new"), 50, admin, 2, 1, mark("r"));
    expect(store.requestOf("akey_1", "r", 2)?.keyId).toBe("key_new");
  });

  test("is kept for 24 hours, and not a millisecond longer", () => {
    const { store } = newStore();
    store.createKey(sampleKey("k"), admin, NOW_MS, mark("r"));
    expect(store.requestOf("akey_1", "r", NOW_MS + DAY_MS - 1)?.keyId).toBe("key_k");
    expect(store.requestOf("akey_1", "r", NOW_MS + DAY_MS)).toBeUndefined();
  });

  test("can be used anew after that", () => {
    const { store } = newStore();
    store.createKey(sampleKey("first"), admin, NOW_MS, mark("r"));
    store.createKey(sampleKey("second"), admin, NOW_MS + DAY_MS, mark("r", "that"));
    expect(store.requestOf("akey_1", "r", NOW_MS + DAY_MS)?.keyId).toBe("key_second");
  });

  test("that is there already makes no second key", () => {
    const { store } = newStore();
    store.createKey(sampleKey("first"), admin, NOW_MS, mark("r"));
    expect(() => store.createKey(sampleKey("second"), admin, NOW_MS, mark("r"))).toThrow("conflict");
    expect(store.keyById("key_second")).toBeUndefined();
    expect(store.createKey(sampleKey("third"), local, NOW_MS, mark("r")).id).toBe("key_third");
  });

  test("outlives a restart of the program", () => {
    const { store, path } = newStore();
    store.createKey(sampleKey("k"), admin, NOW_MS, mark("r"));
    expect(openedStore(path).requestOf("akey_1", "r", NOW_MS)?.keyId).toBe("key_k");
  });
});
