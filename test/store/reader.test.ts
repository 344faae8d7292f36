import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { StoreError } from "../../src/store/store-error.ts";
import { everyKeyStorePasses } from "./support/key-store-suite.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

everyKeyStorePasses("a reader", (path) => ({ keys: openedReader(path), follow: () => undefined }));

test.each(["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])("keys are found while another program holds %s", (begin) => {
  const { store, path } = newStore();
  store.createKey(sampleKey("k"), local, 1);
  const reader = openedReader(path);
  const other = new Database(path);
  other.exec(begin);
  other.exec("UPDATE keys SET revoked_at_ms = 1");
  expect(reader.find(digestOf("k"))?.revoked).toBe(false);
  expect(reader.revision()).toBe(1);
  expect(openedReader(path).find(digestOf("k"))?.id).toBe("key_k");
  other.exec("COMMIT");
  other.close();
  expect(reader.find(digestOf("k"))?.revoked).toBe(true);
});

test("keys are found after the writer has closed the file", () => {
  const { store, path } = newStore();
  store.createKey(sampleKey("k"), local, 1);
  const reader = openedReader(path);
  store.close();
  expect(reader.find(digestOf("k"))?.id).toBe("key_k");
  expect(openedReader(path).find(digestOf("k"))?.id).toBe("key_k");
});

test("the data version moves with the commit of another handle, and only then", () => {
  const { store, path } = newStore();
  const reader = openedReader(path);
  const before = reader.dataVersion();
  reader.find(digestOf("k"));
  expect(reader.dataVersion()).toBe(before);
  store.createKey(sampleKey("k"), local, 1);
  expect(reader.dataVersion()).not.toBe(before);
});

test("a closed reader throws: it never says that there is no such key", () => {
  const reader = openedReader(newStore().path);
  reader.close();
  expect(() => reader.find(digestOf("k"))).toThrow(StoreError);
  expect(() => reader.changesSince({ revision: 0, mark: 0 })).toThrow(StoreError);
});

test("a table that is gone throws: it never means that there is no such key", () => {
  const { path } = newStore();
  const reader = openedReader(path);
  const other = new Database(path);
  other.exec("DROP TABLE keys");
  other.close();
  expect(() => reader.find(digestOf("k"))).toThrow(StoreError);
});
