import { Worker } from "node:worker_threads";
import type { Address } from "../../config/address.ts";
import type { Log } from "../../observe/log.ts";
import { BODY_ENV, bodyBeside } from "../body.ts";
import { StartError } from "../start-error.ts";
import type { ThreadData, ThreadOrder, ThreadReport } from "./thread-messages.ts";

/** A worker thread, from its start to its end. */
export interface ThreadHandle {
  /** Where it listens, by setting. Rejects with StartError where it was refused, and with the cause where it died. */
  readonly listening: Promise<Readonly<Record<string, Address>>>;
  /** Settles when the thread has ended, with what it died of, or undefined. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  order(order: ThreadOrder): void;
  terminate(): Promise<unknown>;
}

/** The bodies of the threads. */
const BODIES = { check: "check-thread", writer: "writer-thread" };

/**
 * The megabytes of a thread's young generation, three times one of its halves. Left alone it grows while code is loaded, and
 * never shrinks. A check thread at full load needs halves of 8 MB: what is under way at once outlives collections that come
 * more often, and the old generation grows by 15 to 40 MB, of which it gives nothing back (measured with halves of 1, 2 and
 * 4 MB, 256 checks at once). The writer has no such load. The old generation is as large as Node makes it: that of a check
 * thread is its cache, and a bound would be the death of the thread.
 */
const YOUNG_GENERATION_MB = { check: 24, writer: 6 };

/** What a thread reports beside its start, its end and its log. */
export type OtherReport = Exclude<ThreadReport, { readonly kind: "log" | "listening" | "refused" }>;

/** Starts a thread. Its log lines go to the log, and what else it reports to `heard`. */
export function startThread(
  body: keyof typeof BODIES,
  data: ThreadData,
  log: Log,
  heard: (report: OtherReport) => void,
): ThreadHandle {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB[body] };
  const worker = new Worker(bodyBeside(import.meta.url, BODIES[body]), {
    workerData: data,
    env: BODY_ENV,
    resourceLimits,
  });
  const listening = Promise.withResolvers<Readonly<Record<string, Address>>>();
  const ended = Promise.withResolvers<Error | undefined>();
  let death: Error | undefined;
  worker.on("message", (report: ThreadReport) => {
    if (report.kind === "log") log(report.level, report.message, report.fields);
    else if (report.kind === "listening") listening.resolve(report.addresses);
    else if (report.kind === "refused") listening.reject(new StartError(report.message));
    else heard(report);
  });
  worker.on("error", (error) => {
    death = error instanceof Error ? error : new Error(String(error));
  });
  worker.on("exit", (code) => {
    if (code !== 0) death ??= new Error(`the thread ended with code ${code}`);
    listening.reject(death ?? new Error("the thread ended before it listened"));
    ended.resolve(death);
  });
  // Who waits for neither must not be a reason to crash.
  listening.promise.catch(() => {});
  return {
    listening: listening.promise,
    ended: ended.promise,
    order: (order) => worker.postMessage(order),
    terminate: () => worker.terminate(),
  };
}
