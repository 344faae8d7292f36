import { Command } from "commander";
import { UpdateOwnerResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { addOwnerName, type OwnerFlags, ownerClient, showOwner } from "./show.ts";

/** `keyward owners disable`. */
export function disableCommand(): Command {
  const command = new Command("disable")
    .description("refuse all keys of an owner until it is enabled again")
    .addHelpText("after", "\nExample:\n  keyward owners disable user/alice --tenant acme");
  return settingDisabled(command, true, "are refused now");
}

/** `keyward owners enable`. */
export function enableCommand(): Command {
  const command = new Command("enable")
    .description("let the keys of a disabled owner open again")
    .addHelpText("after", "\nExample:\n  keyward owners enable user/alice --tenant acme");
  return settingDisabled(command, false, "are refused for it no longer");
}

function settingDisabled(command: Command, disabled: boolean, fate: string): Command {
  return addOwnerName(command).action(async (owner: string, flags: OwnerFlags) => {
    const answer = await ownerClient(flags).updateOwner({
      owner,
      tenant: flags.tenant ?? "",
      updateMask: { paths: ["disabled"] },
      disabled,
    });
    showOwner(flags, UpdateOwnerResponseSchema, answer, fate);
  });
}
