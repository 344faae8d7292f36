import { Command } from "commander";
import { GetOwnerResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { addOwnerName, type OwnerFlags, ownerClient, showOwner } from "./show.ts";

/** `keyward owners get`. */
export function getCommand(): Command {
  const command = new Command("get")
    .description("show one owner")
    .addHelpText("after", "\nExample:\n  keyward owners get user/alice --tenant acme");
  return addOwnerName(command).action(async (owner: string, flags: OwnerFlags) => {
    const answer = await ownerClient(flags).getOwner({ owner, tenant: flags.tenant ?? "" });
    showOwner(flags, GetOwnerResponseSchema, answer);
  });
}
