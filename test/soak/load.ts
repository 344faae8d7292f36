import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { verdictOf } from "../support/verdict.ts";
import type { CheckCaller } from "./check-caller.ts";
import type { Question, SoakKeys } from "./keys.ts";

/** How many wait for an answer while the capacity is measured. */
const CALLERS = 32;

/** Between two moments at which checks are sent that are due by then. */
const TICK_MS = 2;

/** More tell nothing more. */
const KEPT_FAILURES = 10;

/** Sends checks, compares their answers with what is expected, and counts. */
export class Load {
  sent = 0;
  failed = 0;
  /** The first that failed, in words. */
  readonly failures: string[] = [];
  readonly byReason = new Map<string, number>();
  /** From the moment at which a check was due until its answer, in microseconds. */
  readonly latency: RecordableHistogram = createHistogram();
  readonly #caller: CheckCaller;
  readonly #keys: SoakKeys;

  constructor(caller: CheckCaller, keys: SoakKeys) {
    this.#caller = caller;
    this.#keys = keys;
  }

  /** Checks a second where each caller sends the next as soon as it has an answer: this load and the program together. */
  async measureCapacity(seconds: number): Promise<number> {
    const [before, begunMs] = [this.sent, performance.now()];
    const endMs = begunMs + seconds * 1_000;
    const callers = Array.from({ length: CALLERS }, async () => {
      while (performance.now() < endMs) await this.#check(performance.now());
    });
    await Promise.all(callers);
    return ((this.sent - before) * 1_000) / (performance.now() - begunMs);
  }

  /** Sends so many a second, whether or not answers come. */
  async sendSteadily(rate: number, seconds: number): Promise<void> {
    this.latency.reset();
    const begunMs = performance.now();
    const waiting = new Set<Promise<void>>();
    for (let due = 0; due < rate * seconds; await delay(TICK_MS)) {
      for (const now = performance.now() - begunMs; due < rate * seconds && (due * 1_000) / rate <= now; due++) {
        const check = this.#check(begunMs + (due * 1_000) / rate).finally(() => waiting.delete(check));
        waiting.add(check);
      }
    }
    await Promise.all(waiting);
  }

  async #check(dueMs: number): Promise<void> {
    const question = this.#keys.question();
    this.sent++;
    if (question.key !== undefined) question.key.open++;
    try {
      this.#compare(question, verdictOf(await this.#caller.call(question.message)).metadata.reason);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    if (question.key !== undefined) question.key.open--;
    this.latency.record(Math.max(1, Math.round((performance.now() - dueMs) * 1_000)));
  }

  #compare({ key, expected }: Question, reason: unknown): void {
    if (reason === "allowed" && key !== undefined) key.uses++;
    this.byReason.set(String(reason), (this.byReason.get(String(reason)) ?? 0) + 1);
    if (reason !== expected) this.#fail(`a check was answered with ${reason} instead of ${expected}`);
  }

  #fail(why: string): void {
    this.failed++;
    if (this.failures.length < KEPT_FAILURES) this.failures.push(why);
  }
}
