import type { ServingState } from "../admin/health-service.ts";

/** Whether a listener serves, for those who ask and those who watch. */
export class ServingSwitch implements ServingState {
  #serving = true;
  #ended = false;
  readonly #waiters = new Set<() => void>();

  get serving(): boolean {
    return this.#serving;
  }

  get ended(): boolean {
    return this.#ended;
  }

  set(serving: boolean): void {
    this.#serving = serving;
    for (const resolve of this.#waiters) resolve();
  }

  /** Ends every watch, now and from now on: each would keep the program from ending. */
  end(): void {
    this.#ended = true;
    for (const resolve of this.#waiters) resolve();
  }

  /** Each waiter is forgotten when it is done: a reaction to a promise that lives on would be kept for every watch. */
  changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    if (this.#ended) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(() => this.#waiters.delete(resolve));
  }
}
