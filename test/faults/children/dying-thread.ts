import { existsSync } from "node:fs";
import { workerData } from "node:worker_threads";

// Loaded before a program and each of its threads: check threads die once there is a file "die" in the working directory.

if (workerData !== null && "index" in workerData) {
  setInterval(() => {
    if (existsSync("die")) throw new Error("the thread was told to die");
  }, 50);
}
