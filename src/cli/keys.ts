import { Command } from "commander";
import { createCommand } from "./keys/create.ts";
import { disableCommand, enableCommand, revokeCommand } from "./keys/end.ts";
import { getCommand } from "./keys/get.ts";
import { importCommand } from "./keys/import.ts";
import { listCommand } from "./keys/list.ts";
import { rotateCommand } from "./keys/rotate.ts";
import { updateCommand } from "./keys/update.ts";

/** `keyward keys …`. */
export function keysCommand(): Command {
  return new Command("keys")
    .description("create, show, change and end the keys that callers present")
    .addCommand(createCommand())
    .addCommand(getCommand())
    .addCommand(listCommand())
    .addCommand(updateCommand())
    .addCommand(rotateCommand())
    .addCommand(disableCommand())
    .addCommand(enableCommand())
    .addCommand(revokeCommand())
    .addCommand(importCommand());
}
