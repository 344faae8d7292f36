import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { batchOf, tallyOf } from "../usage/support/tallies.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader } from "./support/stores.ts";

const HOUR_MS = 3_600_000;
const QUIET_MS = 24 * HOUR_MS;
const ROTATED_MS = 10 * HOUR_MS;
const GRACE_ENDS_MS = ROTATED_MS + 30 * QUIET_MS;

/** A key that was rotated and last used at some time; undefined: not at all. */
function rotatedKey({ quietAfterMs = QUIET_MS, usedAtMs }: { quietAfterMs?: number; usedAtMs?: number } = {}) {
  const { store, path } = newStore();
  store.createKey(sampleKey("old", { tenant: "acme" }), local, 1);
  store.rotateKey("key_old", sampleKey("new"), GRACE_ENDS_MS, local, ROTATED_MS, 1, undefined, quietAfterMs);
  if (usedAtMs !== undefined) store.recordUsage(batchOf(1, [tallyOf("key_old", { lastUsedAtMs: usedAtMs })]), usedAtMs);
  return { store, path };
}

describe("a rotated key", () => {
  test.each<[string, Parameters<typeof rotatedKey>[0], number, boolean]>([
    ["that nobody used ends a quiet period after its rotation", {}, ROTATED_MS + QUIET_MS, true],
    ["that nobody used lasts until then", {}, ROTATED_MS + QUIET_MS - 1, false],
    ["ends a quiet period after its last use", { usedAtMs: 50 * HOUR_MS }, 50 * HOUR_MS + QUIET_MS, true],
    ["lasts a quiet period after its last use", { usedAtMs: 50 * HOUR_MS }, 50 * HOUR_MS + QUIET_MS - 1, false],
    ["gets the whole period, however long it was silent before", { usedAtMs: 5 }, ROTATED_MS + QUIET_MS - 1, false],
    ["that has come to its hard end has ended by itself", {}, GRACE_ENDS_MS, false],
  ])("%s", (_, key, nowMs, ends) => {
    const { store } = rotatedKey(key);
    expect(store.endQuietKeys(nowMs, nowMs)).toEqual(ends ? ["key_old"] : []);
    expect(store.keyById("key_old")?.revoked).toBe(ends);
    expect(store.keyById("key_new")?.revoked).toBe(false);
    expect(store.endQuietKeys(nowMs, nowMs)).toEqual([]);
  });

  test("does not end while it is not known whether it was used", () => {
    const { store } = rotatedKey();
    const nowMs = ROTATED_MS + 5 * QUIET_MS;
    expect(store.endQuietKeys(ROTATED_MS + QUIET_MS - 1, nowMs)).toEqual([]);
    expect(store.endQuietKeys(ROTATED_MS + QUIET_MS, nowMs)).toEqual(["key_old"]);
  });

  test("without a quiet period keeps its whole grace", () => {
    const { store } = newStore();
    store.createKey(sampleKey("old"), local, 1);
    store.rotateKey("key_old", sampleKey("new"), GRACE_ENDS_MS, local, ROTATED_MS, 1);
    expect(store.keyById("key_old")?.quietAfterMs).toBeUndefined();
    expect(store.endQuietKeys(GRACE_ENDS_MS - 1, GRACE_ENDS_MS - 1)).toEqual([]);
  });

  test("that ends is revoked with a revision, an audit event and an entry in the feed", () => {
    const { store, path } = rotatedKey();
    const reader = openedReader(path);
    const before = reader.position();
    const nowMs = ROTATED_MS + QUIET_MS;
    store.endQuietKeys(nowMs, nowMs);
    expect(store.keyById("key_old")).toMatchObject({
      revokedAtMs: nowMs,
      revokedBy: "keyward",
      revokeReason: "rotated, and not used for 1d",
      revision: 3,
    });
    expect(reader.changesSince(before).digests).toEqual([digestOf("old")]);
    const db = new Database(path, { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    const event = db.prepare("SELECT revision, actor, source, action, target FROM audit ORDER BY seq DESC").get();
    const expected = { revision: 3, actor: "keyward", source: "local", action: "keys.revoke", target: "key_old" };
    expect(event).toEqual(expected);
  });
});
