import { Command } from "commander";
import { addSettingFlags, settingFlagsOf } from "../config/flags.ts";
import { loadSettings } from "../config/load.ts";
import { openLog } from "../observe/log.ts";
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

SIGTERM and SIGINT end the program in good order; a second one ends it at once.`,
  );
  return addSettingFlags(command).action(async (_, given: Command) => {
    const loaded = loadSettings({ flags: settingFlagsOf(given), env: process.env, cwd: process.cwd() });
    const { settings, announcement } = prepareSingleKey(loaded, Date.now());
    process.umask(PRIVATE);
    const { log, flush, dropped } = openLog(settings.log);
    for (const warning of loaded.warnings) log("warn", warning);
    const asked = nextSignal();
    try {
      const program = await serve(settings, VERSION, log, dropped);
      process.stdout.write(announcement);
      await asked;
      nextSignal().then((signal) => end(EXIT_FAILURE, `a second ${signal}: ending at once`));
      const finished = await program.stop();
      end(finished ? EXIT_OK : EXIT_FAILURE, finished ? "stopped" : "stopped before everything had finished");
    } finally {
      flush();
    }

    function end(code: number, message: string): void {
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
