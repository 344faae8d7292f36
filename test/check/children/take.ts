import { parentPort, workerData } from "node:worker_threads";
import { createRateLimiter } from "../../../src/check/rate-limit.ts";
import type { RateLimit } from "../../../src/key/record.ts";

// A thread that uses limits together with others, as fast as it can, and tells how often it was let through by each.

interface Orders {
  readonly cells: BigInt64Array;
  /** How many threads are ready: all begin at once. */
  readonly gate: Int32Array;
  readonly threads: number;
  readonly limits: readonly RateLimit[];
  /** How often each limit is tried. */
  readonly tries: number;
}

const { cells, gate, threads, limits, tries } = workerData as Orders;
const rates = createRateLimiter(cells, process.hrtime.bigint);

Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let ready = Atomics.load(gate, 0); ready < threads; ready = Atomics.load(gate, 0)) Atomics.wait(gate, 0, ready);

const passed = limits.map((limit) => {
  let count = 0;
  for (let attempt = 0; attempt < tries; attempt++) if (rates.take(limit).allowed) count++;
  return count;
});
parentPort?.postMessage(passed);
