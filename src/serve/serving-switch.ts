import type { ServingState } from "../admin/health-service.ts";

/** Whether a listener serves, for those who ask and those who watch. */
export class ServingSwitch implements ServingState {
  #serving = true;
  #change = Promise.withResolvers<void>();

  get serving(): boolean {
    return this.#serving;
  }

  set(serving: boolean): void {
    this.#serving = serving;
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  changed(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    return Promise.race([this.#change.promise, aborted]);
  }
}
