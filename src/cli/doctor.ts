import { Command, Option } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { addSettingFlags, settingFlagsOf } from "../config/flags.ts";
import { type LoadedSettings, loadSettings } from "../config/load.ts";
import { examineDatabase } from "./doctor/database.ts";
import { examineEnvoy } from "./doctor/envoy.ts";
import { type Finding, failure, fine, renderFindings, warning } from "./doctor/finding.ts";
import { examineListeners } from "./doctor/listeners.ts";
import { EXIT_FAILURE, UsageError } from "./exit.ts";

/** Reading a database may create the two files beside it. */
const PRIVATE = 0o077;

interface DoctorFlags {
  readonly output: "table" | "json";
  readonly envoyAdmin?: string;
}

/** `keyward doctor`: looks at everything that is known to go wrong, and says what to do. */
export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("look at configuration, database, clock, listeners and Envoy, and say what to mend")
    .option("--envoy-admin <url>", "the admin interface of an Envoy, whose configuration is looked at as well")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .addHelpText(
      "after",
      `
Run it where \`keyward serve\` runs, as the same user and with the same flags and environment. It changes nothing: the
database is opened for reading only.

Exit codes: 0 nothing to mend, 1 something to mend, 2 usage.

Example:
  keyward doctor --envoy-admin http://127.0.0.1:9901`,
    );
  return addSettingFlags(command).action(async (flags: DoctorFlags, given: Command) => {
    process.umask(PRIVATE);
    const { envoyAdmin } = flags;
    if (envoyAdmin !== undefined && !/^https?:$/.test(URL.parse(envoyAdmin)?.protocol ?? "")) {
      throw new UsageError(`--envoy-admin ${envoyAdmin} must be an http:// or https:// URL`);
    }
    const findings = await examine(given, envoyAdmin);
    const text = flags.output === "json" ? JSON.stringify(findings, null, 2) : renderFindings(findings);
    process.stdout.write(`${text}\n`);
    if (findings.some(({ state }) => state === "fail")) process.exitCode = EXIT_FAILURE;
  });
}

async function examine(given: Command, envoyAdmin: string | undefined): Promise<Finding[]> {
  const loaded = loadOrTell(given);
  const trustedHops = "settings" in loaded ? loaded.settings.trustedHops : 0;
  const ofEnvoy = envoyAdmin === undefined ? [] : await examineEnvoy(envoyAdmin, trustedHops);
  if (!("settings" in loaded)) return [...loaded.problems, ...ofEnvoy];
  const { settings, warnings, file } = loaded;
  return [
    fine("configuration", `${file ?? "defaults, environment and flags (no file)"} is valid`),
    ...warnings.map((text) => warning("configuration", text, "See `keyward config print`.")),
    ...(settings.singleKey === undefined ? examineDatabase(settings, Date.now()) : []),
    ...(await examineListeners(settings)),
    ...ofEnvoy,
  ];
}

function loadOrTell(given: Command): LoadedSettings | { readonly problems: Finding[] } {
  try {
    return loadSettings({ flags: settingFlagsOf(given), env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = "`keyward serve` does not start with it; a program that runs keeps the one before.";
    return { problems: error.problems.map((problem) => failure("configuration", problem, advice)) };
  }
}
