import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { adminKeysCommand } from "./admin-keys.ts";
import { auditCommand } from "./audit.ts";
import { backupCommand } from "./backup.ts";
import { completionCommand } from "./completion.ts";
import { configCommand } from "./config.ts";
import { doctorCommand } from "./doctor.ts";
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, explain } from "./exit.ts";
import { explainCommand } from "./explain.ts";
import { keysCommand } from "./keys.ts";
import { ownersCommand } from "./owners.ts";
import { restoreCommand } from "./restore.ts";
import { serveCommand } from "./serve.ts";
import { signingKeysCommand } from "./signing-keys.ts";

/** Runs the command line and returns the exit code: 0 ok, 1 failure, 2 usage, 3 denied. */
export async function run(args: readonly string[]): Promise<number> {
  // A reader such as `head` may go away: there is nobody left to tell.
  process.stdout.on("error", () => process.exit(EXIT_OK));
  const program = new Command("keyward")
    .description("API-key authorization sidecar for Envoy")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addCommand(serveCommand())
    .addCommand(keysCommand())
    .addCommand(explainCommand())
    .addCommand(ownersCommand())
    .addCommand(adminKeysCommand())
    .addCommand(signingKeysCommand())
    .addCommand(auditCommand())
    .addCommand(backupCommand())
    .addCommand(restoreCommand())
    .addCommand(doctorCommand())
    .addCommand(configCommand())
    .addCommand(completionCommand())
    .addHelpText("after", "\nExit codes: 0 ok, 1 failure, 2 usage or configuration, 3 denied (explain).");
  throwInsteadOfExiting(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? EXIT_OK);
  } catch (error) {
    // Commander has said what is wrong, or printed what was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    const { code, message } = explain(error);
    process.stderr.write(`keyward: ${message}\n`);
    return code ?? EXIT_FAILURE;
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride().showHelpAfterError("(--help tells what there is)");
  command.commands.forEach(throwInsteadOfExiting);
}
