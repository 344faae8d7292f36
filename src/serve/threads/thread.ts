import type { MessagePort } from "node:worker_threads";
import { StoreRefusedError } from "../../store/refusal.ts";
import { StartError } from "../start-error.ts";
import type { ThreadOrder, ThreadReport } from "./thread-messages.ts";

/** What main can ask of a thread that runs. */
export interface RunningThread {
  /** Says NOT_SERVING and goes on answering. */
  drain(): void;
  /**
   * Takes nothing new, finishes what is in progress and gives up what has not ended after `graceMs`. The thread ends after
   * it. Returns whether everything had finished.
   */
  stop(graceMs: number): Promise<boolean>;
  /** Told of every other order. */
  hear?(order: Exclude<ThreadOrder, { readonly kind: "drain" | "stop" }>): void;
}

/**
 * Runs the body of a thread: starts it, then obeys main's orders. What an operator can mend (an address in use, a foreign
 * database) is reported as refused; anything else is thrown, and main replaces the thread.
 */
export async function runThread(
  port: MessagePort | null,
  start: (report: (message: ThreadReport) => void) => Promise<RunningThread>,
): Promise<void> {
  if (port === null) throw new Error("this file is the body of a worker thread");
  const report = (message: ThreadReport) => port.postMessage(message);
  try {
    const thread = await start(report);
    port.on("message", async (order: ThreadOrder) => {
      if (order.kind === "drain") return thread.drain();
      if (order.kind !== "stop") return thread.hear?.(order);
      process.exit((await thread.stop(order.graceMs)) ? 0 : 1);
    });
  } catch (error) {
    if (!(error instanceof StartError || error instanceof StoreRefusedError)) throw error;
    report({ kind: "refused", message: error.message });
  }
}
