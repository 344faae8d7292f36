import { Command } from "commander";
import { createCommand } from "./owners/create.ts";
import { deleteCommand } from "./owners/delete.ts";
import { disableCommand, enableCommand } from "./owners/disable.ts";
import { getCommand } from "./owners/get.ts";
import { listCommand } from "./owners/list.ts";
import { updateCommand } from "./owners/update.ts";

/** `keyward owners …`. */
export function ownersCommand(): Command {
  return new Command("owners")
    .description("limit, refuse and end all keys of somebody at once")
    .addCommand(createCommand())
    .addCommand(getCommand())
    .addCommand(listCommand())
    .addCommand(updateCommand())
    .addCommand(disableCommand())
    .addCommand(enableCommand())
    .addCommand(deleteCommand());
}
