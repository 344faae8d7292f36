import { readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { inspectCopy } from "../../src/store/sound-copy.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";

const unfinishedBeside = (path: string) => readdirSync(dirname(path)).filter((name) => name.includes("unfinished"));

test("a backup is there until it is discarded, and no other can be made meanwhile", async () => {
  const { store, path } = newStore();
  const key = store.createKey(sampleKey("k"), local, 1);
  const backup = await store.makeBackup(local, 2, {});
  expect(inspectCopy(backup.path)).toMatchObject({
    keys: 1,
    uuid: store.identity.uuid,
    schemaVersion: store.schemaVersion,
  });
  expect(inspectCopy(backup.path).position.revision).toBe(key.revision);
  expect((statSync(backup.path).mode & 0o777).toString(8)).toBe("600");
  await expect(store.makeBackup(local, 3, {})).rejects.toThrow(expect.objectContaining({ code: "busy" }));
  backup.discard();
  expect(unfinishedBeside(path)).toEqual([]);
  const next = await store.makeBackup(local, 4, {});
  backup.discard();
  await expect(store.makeBackup(local, 5, {})).rejects.toThrow(expect.objectContaining({ code: "busy" }));
  next.discard();
});

test("a backup that is given up leaves nothing, and another can be made", async () => {
  const { store, path } = newStore();
  const given = new AbortController();
  const onProgress = () => given.abort(new Error("given up"));
  const made = store.makeBackup(local, 1, { signal: given.signal, onProgress });
  await expect(made).resolves.toHaveProperty("path");
  (await made).discard();
  await expect(store.makeBackup(local, 2, { signal: given.signal })).rejects.toThrow("given up");
  expect(unfinishedBeside(path)).toEqual([]);
  (await store.makeBackup(local, 3, {})).discard();
});

test("what is changed while a backup is made does not tear it", async () => {
  const { store } = newStore();
  for (let n = 0; n < 500; n++) store.createKey(sampleKey(`k${n}`, { note: "x".repeat(2000) }), local, 1);
  let more = 0;
  const onProgress = () => {
    store.createKey(sampleKey(`m${more++}`), local, 1);
  };
  const backup = await store.makeBackup(local, 2, { onProgress });
  expect(more).toBeGreaterThan(1);
  expect(inspectCopy(backup.path).keys).toBeGreaterThanOrEqual(500);
  backup.discard();
});
