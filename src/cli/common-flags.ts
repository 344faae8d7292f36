import type { Command } from "commander";
import { addConnectionFlags, type ConnectionFlags } from "./admin-connection.ts";
import { addOutputFlags, type OutputFlags } from "./output.ts";

/** The values of the flags that every command has that calls the admin API. */
export type CommonFlags = ConnectionFlags & OutputFlags;

/** Gives a command those flags. `quietly` says what `-q` prints. */
export function addCommonFlags(command: Command, quietly: string): Command {
  return addOutputFlags(addConnectionFlags(command), quietly);
}
