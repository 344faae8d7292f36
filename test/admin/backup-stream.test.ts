import { createHash } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { streamBackup } from "../../src/admin/backup-stream.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";
import { until } from "../support/until.ts";

/** What lies beside a store of a copy, by its name or held open by this process. */
function copiesOf(path: string): string[] {
  const isCopy = (name: string) => name.startsWith(path) && name.includes("unfinished");
  const names = readdirSync(dirname(path)).map((name) => `${dirname(path)}/${name}`);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return [...names, ...open].filter(isCopy);
}

/** A store of which a copy takes several pieces. */
function storeOfPieces() {
  const { store, path } = newStore();
  for (let n = 0; n < 400; n++) store.createKey(sampleKey(`k${n}`, { note: "x".repeat(2000) }), local, 1);
  return { store, path };
}

test("a backup of which nothing is taken any longer is removed, another can be made, and its reader is told", async () => {
  const { store, path } = storeOfPieces();
  const stalled = streamBackup(store, local, new AbortController().signal, 5);
  for (let part = await stalled.next(); part.value?.data === undefined; part = await stalled.next());
  await until("it is removed", () => copiesOf(path).length === 0);
  const next = streamBackup(store, local, new AbortController().signal);
  await next.next();
  expect(copiesOf(path).length).toBeGreaterThan(0);
  await expect(stalled.next()).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
    rawMessage: "nothing of the copy was taken for 0.005 s, and it was removed; make another",
  });
  expect(copiesOf(path).length).toBeGreaterThan(0);
  await next.return(undefined);
  expect(copiesOf(path)).toEqual([]);
});

test("a backup that is taken comes whole, and nothing is left of it", async () => {
  const { store, path } = storeOfPieces();
  const hash = createHash("sha256");
  let [pieces, sha256] = [0, ""];
  for await (const part of streamBackup(store, local, new AbortController().signal)) {
    hash.update(part.data ?? "");
    pieces += part.data === undefined ? 0 : 1;
    sha256 = part.sha256 ?? "";
  }
  expect(pieces).toBeGreaterThan(2);
  expect(sha256).toBe(hash.digest("hex"));
  expect(copiesOf(path)).toEqual([]);
});
