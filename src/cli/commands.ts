import type { Command } from "commander";

/** Every command by its name, in the order of the help. Its code is loaded when it is made. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  explain: async () => (await import("./explain.ts")).explainCommand(),
  owners: async () => (await import("./owners.ts")).ownersCommand(),
  "admin-keys": async () => (await import("./admin-keys.ts")).adminKeysCommand(),
  "signing-keys": async () => (await import("./signing-keys.ts")).signingKeysCommand(),
  audit: async () => (await import("./audit.ts")).auditCommand(),
  backup: async () => (await import("./backup.ts")).backupCommand(),
  restore: async () => (await import("./restore.ts")).restoreCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  config: async () => (await import("./config.ts")).configCommand(),
  completion: async () => (await import("./completion.ts")).completionCommand(),
};

/** Of these nothing of the others is seen; `completion`, and whatever is no command, has to know them all. */
const ALONE = Object.keys(COMMANDS).filter((name) => name !== "completion");

/**
 * The commands that running `args` takes: the one that they name, or all of them. Most of a command's start is loading code,
 * and what `serve` has loaded it holds for as long as it runs.
 */
export async function commandsFor([name = ""]: readonly string[]): Promise<readonly Command[]> {
  const names = ALONE.includes(name) ? [name] : Object.keys(COMMANDS);
  return Promise.all(names.flatMap((name) => COMMANDS[name]?.() ?? []));
}
