import { expect, test } from "vitest";
import type { NewAdminKey } from "../../src/store/admin-keys.ts";
import { StoreError } from "../../src/store/store-error.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";

function sampleAdminKey(name: string, start = `kwadm_${name}`): NewAdminKey {
  return { id: `akey_${name}`, digest: digestOf(`admin ${name}`), start, name, scopes: ["keys:read", "keys:write"] };
}

test("an admin key is kept as it was given, with who made it and when", () => {
  const { store } = newStore();
  const { digest, ...given } = sampleAdminKey("a");
  const created = store.createAdminKey({ ...given, digest }, { name: "akey_0", source: "10.0.0.1" }, 5);
  const never = { revokedAtMs: undefined, revokedBy: undefined };
  expect(created).toEqual({ ...given, ...never, createdAtMs: 5, createdBy: "akey_0", revision: 1 });
  expect(store.adminKeyById("akey_a")).toEqual(created);
  expect(store.adminKeyByDigest(digest)).toEqual(created);
});

test.each([
  { text: "kwadm_4fGh12Kq", found: ["akey_a"] },
  { text: "4fGh12Kq", found: ["akey_a"] },
  { text: "4fGh12K", found: [] },
  { text: "kw_4fGh12Kq", found: [] },
])("among admin keys the name $text finds $found", ({ text, found }) => {
  const { store } = newStore();
  store.createAdminKey(sampleAdminKey("a", "kwadm_4fGh12Kq"), local, 1);
  store.createKey(sampleKey("k", { start: "kw_4fGh12Kq" }), local, 1);
  expect(store.adminKeysByStart(text).map(({ id }) => id)).toEqual(found);
});

test("all admin keys are listed by id, ended ones too", () => {
  const { store } = newStore();
  for (const name of ["b", "a"]) store.createAdminKey(sampleAdminKey(name), local, 1);
  store.revokeAdminKey("akey_a", local, 2);
  expect(store.listAdminKeys().map(({ id, revokedAtMs }) => [id, revokedAtMs])).toEqual([
    ["akey_a", 2],
    ["akey_b", undefined],
  ]);
});

test("an admin key ends once: a second time returns the record of the first and takes no revision", () => {
  const { store } = newStore();
  const created = store.createAdminKey(sampleAdminKey("a"), local, 1);
  const revoked = store.revokeAdminKey("akey_a", local, 2);
  expect(revoked).toEqual({ ...created, revokedAtMs: 2, revokedBy: "local", revision: 2 });
  expect(store.revokeAdminKey("akey_a", { name: "akey_b", source: "x" }, 3)).toEqual(revoked);
  expect(store.revokeAdminKey("akey_x", local, 3)).toBe(undefined);
  expect(store.revision()).toBe(2);
});

test("no admin key is a key, and no key an admin key", () => {
  const { store } = newStore();
  const admin = sampleAdminKey("a");
  const key = sampleKey("k");
  store.createAdminKey(admin, local, 1);
  store.createKey(key, local, 1);
  expect(store.keyByDigest(admin.digest)).toBe(undefined);
  expect(store.adminKeyByDigest(key.digest)).toBe(undefined);
});

test("an admin key with the id of another is a conflict", () => {
  const { store } = newStore();
  store.createAdminKey(sampleAdminKey("a"), local, 1);
  expect(() => store.createAdminKey({ ...sampleAdminKey("b"), id: "akey_a" }, local, 1)).toThrow(StoreError);
  expect(store.revision()).toBe(1);
});
