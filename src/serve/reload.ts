import { ConfigError, type LoadedSettings } from "../config/load.ts";
import { reloadSettings } from "../config/reload.ts";
import type { Sources } from "../config/sources.ts";
import type { Log } from "../observe/log.ts";
import type { ReloadCounts } from "../observe/reload-counts.ts";
import type { ReloadCause } from "./reload-requests.ts";
import type { Program } from "./serve.ts";

/** What a reload works on. */
interface ReloadPorts {
  /** What the program was started with. */
  readonly loaded: LoadedSettings;
  readonly sources: Sources;
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
export function createReload({ loaded, sources, reload, counts, log }: ReloadPorts) {
  let running = loaded;
  let attempts = 0;

  return async (cause: ReloadCause): Promise<void> => {
    const attempt = ++attempts;
    try {
      const { loaded: next, changed, waiting } = reloadSettings(running, sources);
      for (const warning of next.warnings) if (!running.warnings.includes(warning)) log("warn", warning);
      for (const sentence of waiting) log("warn", sentence);
      running = next;
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
