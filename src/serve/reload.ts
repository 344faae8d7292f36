import { ConfigError } from "../config/config-error.ts";
import type { LoadedSettings } from "../config/load.ts";
import type { Log } from "../observe/log.ts";
import type { ReloadCounts } from "../observe/reload-counts.ts";
import type { Configuration } from "./configuration.ts";
import type { ReloadCause } from "./reload-requests.ts";
import type { Program } from "./serve.ts";

/** What a reload works on. */
interface ReloadPorts {
  /** What the program was started with. */
  readonly loaded: LoadedSettings;
  readonly configuration: Configuration;
  /** Puts settings into effect; resolves once they are, everywhere. */
  readonly reload: Program["reload"];
  readonly counts: ReloadCounts;
  readonly log: Log;
}

/**
 * Makes what reads the configuration again and puts it into effect. Nothing changes before all of it was judged; one that
 * cannot be used changes nothing, and is told. Never rejects. Logs names of settings, and values only of those that need a
 * restart, none of which is a secret.
 */
export function createReload({ loaded, configuration, reload, counts, log }: ReloadPorts) {
  let running = loaded;
  let attempts = 0;
  let reading: Promise<unknown> = Promise.resolve();
  /** One after the other: what was read first must not be put into effect last. */
  const readNext = () => {
    const next = reading.then(async () => {
      const reloaded = await configuration.readAgain(running);
      for (const warning of reloaded.loaded.warnings) if (!running.warnings.includes(warning)) log("warn", warning);
      running = reloaded.loaded;
      return reloaded;
    });
    reading = next.catch(() => {});
    return next;
  };

  return async (cause: ReloadCause): Promise<void> => {
    const attempt = ++attempts;
    try {
      const { loaded: next, changed, waiting } = await readNext();
      for (const sentence of waiting) log("warn", sentence);
      await reload(next.settings);
      counts.succeeded++;
      counts.lastSuccessAtMs = Date.now();
      // Where a thread was slow, a later file may have been refused meanwhile.
      if (attempt === attempts) counts.lastSucceeded = true;
      log("info", "reloaded", { cause, ...(next.file !== undefined && { file: next.file }), changed });
    } catch (error) {
      counts.failed++;
      counts.lastSucceeded = false;
      const problems = error instanceof ConfigError ? error.problems : [String(error)];
      log("error", "the configuration was not reloaded; what was in effect stays in effect", { cause, problems });
    }
  };
}
