import { Code, ConnectError } from "@connectrpc/connect";
import type { ServingState } from "../admin/health-service.ts";

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Whether a listener serves, for those who ask and those who watch. */
export class ServingSwitch implements ServingState {
  #serving = true;
  #ended: ConnectError | undefined;
  readonly #waiters = new Set<Waiter>();

  get serving(): boolean {
    return this.#serving;
  }

  set(serving: boolean): void {
    this.#serving = serving;
    for (const { resolve } of this.#waiters) resolve();
  }

  /** Ends every watch, now and from now on: each would keep the program from ending. */
  end(): void {
    this.#ended = new ConnectError("the program is shutting down", Code.Unavailable);
    for (const { reject } of this.#waiters) reject(this.#ended);
  }

  /** Each waiter is forgotten when it is done: a reaction to a promise that lives on would be kept for every watch. */
  changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { resolve, reject };
    this.#waiters.add(waiter);
    if (this.#ended !== undefined) reject(this.#ended);
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(() => this.#waiters.delete(waiter));
  }
}
