import { parentPort, workerData } from "node:worker_threads";
import { ConfigError } from "../config/config-error.ts";
import type { Sources } from "../config/config-path.ts";
import { loadSettings } from "../config/load.ts";
import { reloadSettings } from "../config/reload.ts";
import type { Answered, Question } from "./configuration.ts";

// The body of the thread that reads the configuration when it is asked to.

const sources = workerData as Sources;

parentPort?.on("message", (running: Question) => parentPort?.postMessage(answer(running)));

function answer(running: Question): Answered<unknown> {
  try {
    return { result: running === undefined ? loadSettings(sources) : reloadSettings(running, sources) };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    throw error;
  }
}
