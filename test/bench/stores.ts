import { join } from "node:path";
import Database from "better-sqlite3";
import { createKeyCache } from "../../src/store/cache.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { collectGarbage } from "./checks.ts";
import type { KeyFile } from "./key-files.ts";
import type { Contestant } from "./rounds.ts";
import { keywardFolder, startKeywardServer } from "./server.ts";

/** More say nothing new of the heap per key. */
const MAX_CACHED = 100_000;

/** How long a start takes with each database, and how much heap a cached key takes. */
export function storeContestants(files: readonly KeyFile[], folder: string): Contestant[] {
  const starts = files.map((file): Contestant => {
    const own = keywardFolder(join(folder, `start-${file.keys}`), file);
    return {
      part: "store",
      row: ["start", `${file.keys} keys`],
      async measure() {
        const began = performance.now();
        const server = await startKeywardServer(own);
        const startMs = performance.now() - began;
        await server.stop();
        return { startMs };
      },
    };
  });
  return [...starts, ...files.slice(-1).map(heapContestant)];
}

function heapContestant(file: KeyFile): Contestant {
  return {
    part: "store",
    row: ["cached", `${file.keys} keys`],
    async measure() {
      const digests = someDigests(file);
      const reader = openKeyReader(file.path);
      const cache = createKeyCache(reader, { maxKeys: MAX_CACHED, maxUnknown: 1 });
      // A text is what a check looks up, and the cache keeps it: it is made anew and counts with the entry.
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      for (let at = 0; at < digests.length; at += 32) cache.find(digests.toString("hex", at, at + 32));
      collectGarbage();
      const heapBytesPerKey = (process.memoryUsage().heapUsed - before) / cache.sizes().known;
      reader.close();
      return { heapBytesPerKey };
    },
  };
}

/** Digests of keys, one behind the other: outside the heap. */
function someDigests({ path }: KeyFile): Buffer {
  const db = new Database(path, { readonly: true });
  try {
    return Buffer.concat(db.prepare<[number], Buffer>("SELECT digest FROM keys LIMIT ?").pluck().all(MAX_CACHED));
  } finally {
    db.close();
  }
}
