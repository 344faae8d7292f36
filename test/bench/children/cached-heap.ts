// Prints how many bytes of heap a cached key takes: `node --expose-gc cached-heap.ts DATABASE`. A program of its own, since
// after a full collection V8 keeps the young generation small, and everything else in the process gets slower.

import Database from "better-sqlite3";
import { createKeyCache } from "../../../src/store/cache.ts";
import { openKeyReader } from "../../../src/store/reader.ts";

/** More say nothing new of the heap per key. */
const MAX_CACHED = 100_000;

const [, , path = ""] = process.argv;
const db = new Database(path, { readonly: true });
// One behind the other, and so outside the heap.
const digests = Buffer.concat(db.prepare<[number], Buffer>("SELECT digest FROM keys LIMIT ?").pluck().all(MAX_CACHED));
db.close();
const reader = openKeyReader(path);
const cache = createKeyCache(reader, { maxKeys: MAX_CACHED, maxUnknown: 1 });
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
// The text that is looked up is what the cache keeps: it counts with the entry.
for (let at = 0; at < digests.length; at += 32) cache.find(digests.toString("hex", at, at + 32));
globalThis.gc?.();
process.stdout.write(String((process.memoryUsage().heapUsed - before) / cache.sizes().known));
reader.close();
