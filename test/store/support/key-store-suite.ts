import { describe, expect, test } from "vitest";
import type { KeyStore } from "../../../src/key/record.ts";
import type { Store } from "../../../src/store/store.ts";
import { digestOf, local, sampleKey } from "./keys.ts";
import { newStore } from "./stores.ts";

/** A store of keys that reads what the writer writes. `follow` brings it up to the writer's last change. */
export interface KeyStoreUnderTest {
  readonly keys: KeyStore;
  follow(): void;
}

/** What every KeyStore promises, whatever stands behind it. */
export function everyKeyStorePasses(name: string, open: (path: string) => KeyStoreUnderTest): void {
  function opened(): { store: Store } & KeyStoreUnderTest {
    const { store, path } = newStore();
    return { store, ...open(path) };
  }

  describe(`${name} as a key store`, () => {
    test("a digest finds its record, and only what the data plane is to know", () => {
      const { store, keys, follow } = opened();
      const key = sampleKey("k", { tenant: "t", owner: "user/a", scopes: ["a", "b:*"], paths: ["/v1", "=/v2"] });
      const limits = { methods: ["GET"], cidrs: ["10.0.0.0/8"], notBeforeMs: 1, expiresAtMs: 9 };
      store.createKey({ ...key, ...limits }, local, 1);
      follow();
      const { networks, ...found } = keys.find(key.digest) ?? {};
      expect([networks?.has("10.1.2.3"), networks?.has("11.1.2.3")]).toEqual([true, false]);
      expect(found).toEqual({
        id: "key_k",
        tenant: "t",
        owner: "user/a",
        scopes: ["a", "b:*"],
        paths: ["/v1", "=/v2"],
        methods: ["GET"],
        notBeforeMs: 1,
        expiresAtMs: 9,
        graceEndsAtMs: undefined,
        inheritsScopes: false,
        ownerLimits: undefined,
        rateLimit: undefined,
        signed: false,
        disabled: false,
        revoked: false,
        revision: 1,
      });
    });

    test("what is unset is undefined or an empty list", () => {
      const { store, keys, follow } = opened();
      store.createKey(sampleKey("k"), local, 1);
      follow();
      const unset = { tenant: undefined, owner: undefined, notBeforeMs: undefined, expiresAtMs: undefined };
      expect(keys.find(digestOf("k"))).toEqual({
        id: "key_k",
        ...unset,
        graceEndsAtMs: undefined,
        inheritsScopes: false,
        ownerLimits: undefined,
        rateLimit: undefined,
        signed: false,
        networks: undefined,
        scopes: [],
        paths: [],
        methods: [],
        disabled: false,
        revoked: false,
        revision: 1,
      });
    });

    test("a digest that no key has finds nothing, asked once or twice", () => {
      const { keys } = opened();
      expect([keys.find(digestOf("x")), keys.find(digestOf("x"))]).toEqual([undefined, undefined]);
    });

    test("an unknown digest is found once its key is created", () => {
      const { store, keys, follow } = opened();
      expect(keys.find(digestOf("k"))).toBe(undefined);
      store.createKey(sampleKey("k"), local, 1);
      follow();
      expect(keys.find(digestOf("k"))?.id).toBe("key_k");
    });

    test("a revoked key is found as revoked", () => {
      const { store, keys, follow } = opened();
      store.createKey(sampleKey("k"), local, 1);
      follow();
      expect(keys.find(digestOf("k"))?.revoked).toBe(false);
      store.revokeKey("key_k", "", local, 2);
      follow();
      expect(keys.find(digestOf("k"))).toMatchObject({ revoked: true, revision: 2 });
    });

    test("an expired key is found: time is judged elsewhere", () => {
      const { store, keys, follow } = opened();
      store.createKey(sampleKey("k", { expiresAtMs: 1 }), local, 1);
      follow();
      expect(keys.find(digestOf("k"))?.expiresAtMs).toBe(1);
    });

    test("an admin key's digest finds nothing", () => {
      const { store, keys, follow } = opened();
      const digest = digestOf("a");
      store.createAdminKey({ id: "akey_a", digest, start: "kwadm_12345678", name: "a", scopes: [] }, local, 1);
      follow();
      expect(keys.find(digest)).toBe(undefined);
    });

    test.each(["", "ab", digestOf("k").toUpperCase(), `${digestOf("k")}00`])("what is no digest throws: %j", (text) => {
      const { keys } = opened();
      expect(() => keys.find(text)).toThrow(RangeError);
    });
  });
}
