import { Command } from "commander";
import { configPath } from "../config/config-path.ts";
import { addSettingFlags, settingFlagsOf } from "../config/flags.ts";
import type { Settings } from "../config/settings.ts";
import { openLog } from "../observe/log.ts";
import { newReloadCounts } from "../observe/reload-counts.ts";
import { readTraceSettings } from "../observe/traces/settings.ts";
import { createConfiguration } from "../serve/configuration.ts";
import { createReload } from "../serve/reload.ts";
import { hearReloadRequests } from "../serve/reload-requests.ts";
import { serve } from "../serve/serve.ts";
import { VERSION } from "../version.ts";
import { EXIT_FAILURE, EXIT_OK } from "./exit.ts";
import { prepareSingleKey } from "./single-key.ts";

/** Whatever this program creates is its user's alone; a socket that others may open is opened to them on purpose. */
const PRIVATE = 0o077;

/** `keyward serve`: runs until SIGTERM or SIGINT, and exits with 0 once all that was in progress is finished. */
export function serveCommand(): Command {
  const command = new Command("serve").description("answer checks and serve the admin API").addHelpText(
    "after",
    `
With --single-key, KEYWARD_SINGLE_KEY holds the key, or the file that KEYWARD_SINGLE_KEY_FILE names; without either, one
is drawn for this run and printed.

How keys are used is written down by the process that also serves the admin API (--mode all); of checks that a process with
--mode authz answers, nothing is.

SIGHUP, or a change of the configuration file, has it read again; what needs a restart is told in the log. A file that
cannot be used changes nothing.

SIGTERM and SIGINT end the program in good order: health says NOT_SERVING, checks are answered for shutdown_delay more, calls
in progress are finished, and what is known of the use of keys is written down. The exit code is 0, or 1 where something had
not ended within shutdown_timeout. A second signal ends it at once, with 1.`,
  );
  return addSettingFlags(command).action(async (_, given: Command) => {
    const sources = { flags: settingFlagsOf(given), env: { ...process.env }, cwd: process.cwd() };
    const requests = await hearReloadRequests(configPath(sources));
    const configuration = createConfiguration(sources);
    const loaded = await configuration.read();
    const { settings, announcement } = prepareSingleKey(loaded, Date.now());
    process.umask(PRIVATE);
    const { log, setLevel, flush, dropped } = await openLog(settings.log);
    const counts = newReloadCounts(Date.now());
    const { traces, warnings } = readTraceSettings(process.env);
    for (const warning of [...loaded.warnings, ...warnings]) log("warn", warning);
    const asked = nextSignal();
    try {
      const starting = serve(settings, VERSION, log, dropped, counts, traces);
      // Nobody is served before all is: there is nothing to finish, and a start may wait long for a large database.
      const early = await Promise.race([asked, starting.then(() => undefined)]);
      if (early !== undefined) end(EXIT_OK, `${early} while starting: stopped`);
      const program = await starting;
      process.stdout.write(announcement);
      const reload = async (next: Settings) => {
        setLevel(next.log.level);
        await program.reload(next);
      };
      requests.answer(createReload({ loaded: { ...loaded, settings }, configuration, reload, counts, log }));
      const failure = await Promise.race([asked.then(() => undefined), program.failed]);
      requests.stop();
      nextSignal().then((signal) => end(EXIT_FAILURE, `a second ${signal}: ending at once`));
      const finished = await program.stop();
      if (failure !== undefined) end(EXIT_FAILURE, `ended because ${failure}`);
      end(finished ? EXIT_OK : EXIT_FAILURE, finished ? "stopped" : "stopped before everything had finished");
    } finally {
      flush();
    }

    function end(code: number, message: string): never {
      log("info", message);
      flush();
      process.exit(code);
    }
  });
}

function nextSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  return promise;
}
