import { expect, test } from "vitest";
import { createFollowedStore } from "../../src/serve/followed-store.ts";
import { createBoard } from "../../src/serve/threads/board.ts";
import { digestOf, local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";

/** Lets no timer run meanwhile. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a look-up that comes late after the last question asks before it answers", () => {
  const { store, path } = newStore();
  const digest = digestOf("secret");
  store.createKey({ ...sampleKey("k"), digest }, local, 1);
  const followed = createFollowedStore(
    { database: path, cache: { maxKeys: 10, maxUnknown: 10 }, stale: { serveForMs: 0 } },
    createBoard(1),
    { onApplied() {}, onClosed() {}, onStale() {}, onServing() {}, onUnread() {}, onLookUp() {}, log() {} },
  );
  followed.start();
  expect(followed.find(digest)?.revoked).toBe(false);
  // As another process does it: nobody is told.
  store.revokeKey("key_k", "", local, 2);
  standStill(200);
  expect([followed.find(digest)?.revoked, followed.staleMs?.()]).toEqual([true, 0]);
});
