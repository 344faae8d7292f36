import { Command } from "commander";
import { listCommand } from "./audit/list.ts";
import { verifyCommand } from "./audit/verify.ts";
import { watchCommand } from "./audit/watch.ts";

/** `keyward audit …`. */
export function auditCommand(): Command {
  return new Command("audit")
    .description("see who changed what, and whether the trail is whole")
    .addCommand(listCommand())
    .addCommand(watchCommand())
    .addCommand(verifyCommand());
}
