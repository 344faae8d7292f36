import { Worker } from "node:worker_threads";
import { ConfigError } from "../config/config-error.ts";
import type { Sources } from "../config/config-path.ts";
import type { LoadedSettings } from "../config/load.ts";
import type { Reloaded } from "../config/reload.ts";
import { BODY_ENV, bodyBeside } from "./body.ts";

/** What the thread, which has the sources, is asked: what they say, also where a program runs by what they said before. */
export type Question = LoadedSettings | undefined;

/** What it answers with. */
export type Answered<Result> = { readonly result: Result } | { readonly problems: readonly string[] };

/** Reads the configuration. One question at a time; each rejects with ConfigError where it cannot be used. */
export interface Configuration {
  /** As `loadSettings` (`config/load.ts`). */
  read(): Promise<LoadedSettings>;
  /** As `reloadSettings` (`config/reload.ts`). */
  readAgain(running: LoadedSettings): Promise<Reloaded>;
}

/** Who reloads often, as a script does, need not wait each time until the code is loaded. */
const LINGER_MS = 2_000;

/**
 * Reads in a thread that ends soon afterwards. What understands YAML and judges its shape is more than all that the main
 * thread does else, and a program that runs for months need not hold it.
 */
export function createConfiguration(sources: Sources): Configuration {
  let waiting: Worker | undefined;
  let leaving: NodeJS.Timeout | undefined;
  const start = () => {
    const reader = new Worker(bodyBeside(import.meta.url, "configuration-reader"), {
      workerData: sources,
      env: BODY_ENV,
    });
    reader.on("error", () => {}); // Whoever has asked hears it; where nobody has, it is no reason to end.
    reader.once("exit", () => {
      if (waiting === reader) waiting = undefined;
    });
    return reader;
  };
  const ask = async <Result>(running?: LoadedSettings): Promise<Result> => {
    clearTimeout(leaving);
    const reader = waiting ?? start();
    waiting = undefined;
    const answer = await answerOf<Result>(reader, running);
    waiting = reader;
    // What a start has read is not read again soon, and the threads that start now can have its memory.
    const lingerMs = running === undefined ? 0 : LINGER_MS;
    leaving = setTimeout(() => void reader.terminate(), lingerMs).unref();
    if ("problems" in answer) throw new ConfigError(answer.problems);
    return answer.result;
  };
  return { read: () => ask(), readAgain: (running) => ask(running) };
}

/** Rejects where the thread dies of the question. */
async function answerOf<Result>(reader: Worker, question: Question): Promise<Answered<Result>> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered<Result>>();
  reader.once("message", resolve);
  reader.once("error", reject);
  reader.once("exit", reject);
  reader.ref();
  reader.postMessage(question);
  try {
    return await promise;
  } finally {
    // It waits for the next question, and keeps nobody from ending.
    reader.unref();
    reader.off("message", resolve);
    reader.off("error", reject);
    reader.off("exit", reject);
  }
}
