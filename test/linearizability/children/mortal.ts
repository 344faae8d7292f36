import { isMainThread, postMessageToThread, type Worker } from "node:worker_threads";

// Loaded before the program (`node --import`) and, by inheritance, before each of its threads: every SIGUSR2 lets the thread
// that has lived the longest die of an error that nobody catches. It would take the process with it under
// `transport: grpc-js`: where a thread ends in the middle of a read, node:http2 of Node 24 aborts (`onread->IsFunction()`).

if (isMainThread) {
  const living = new Set<Worker>();
  process.on("worker", (worker: Worker) => {
    living.add(worker);
    worker.once("exit", () => living.delete(worker));
  });
  process.on("SIGUSR2", () => {
    const [oldest] = living;
    // One that has just started does not listen yet: then nobody dies.
    if (oldest !== undefined) postMessageToThread(oldest.threadId, "die").catch(() => {});
  });
} else {
  process.on("workerMessage", () => {
    setImmediate(() => {
      throw new Error("an accident");
    });
  });
}
