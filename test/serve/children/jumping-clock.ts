import { workerData } from "node:worker_threads";

// Loaded before a program and each of its threads: the wall clock of a check thread is ten years ahead every third time
// that somebody reads it.

const TEN_YEARS_MS = 10 * 365 * 86_400_000;
const rightNow = Date.now;
let readings = 0;

if (workerData !== null && "index" in workerData) {
  Date.now = () => rightNow() + (++readings % 3 === 0 ? TEN_YEARS_MS : 0);
}
