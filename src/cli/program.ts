import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { commandsFor } from "./commands.ts";
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from "./exit.ts";

/** Runs the command line and returns the exit code: 0 ok, 1 failure, 2 usage, 3 denied. */
export async function run(args: readonly string[]): Promise<number> {
  // A reader such as `head` may go away: there is nobody left to tell.
  process.stdout.on("error", () => process.exit(EXIT_OK));
  const program = new Command("keyward")
    .description("API-key authorization sidecar for Envoy")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", "\nExit codes: 0 ok, 1 failure, 2 usage or configuration, 3 denied (explain).");
  for (const command of await commandsFor(args)) program.addCommand(command);
  throwInsteadOfExiting(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? EXIT_OK);
  } catch (error) {
    // Commander has said what is wrong, or printed what was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    const { code, message } = (await import("./failure.ts")).explainFailure(error);
    process.stderr.write(`keyward: ${message}\n`);
    return code ?? EXIT_FAILURE;
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride().showHelpAfterError("(--help tells what there is)");
  command.commands.forEach(throwInsteadOfExiting);
}
