import { create } from "@bufbuild/protobuf";
import { Command } from "commander";
import { ListOwnersResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { addCommonFlags } from "../common-flags.ts";
import { printMessage, tell } from "../output.ts";
import { everyPage } from "../pages.ts";
import { type OwnerFlags, ownerClient, ownerTable } from "./show.ts";

/** `keyward owners list`. */
export function listCommand(): Command {
  const command = new Command("list")
    .description("list the registered owners in the order of tenants and names")
    .option("--tenant <tenant>", "only those of this tenant")
    .addHelpText("after", "\nExample:\n  keyward owners list --tenant acme -o json");
  return addCommonFlags(command, "the names").action(async (flags: OwnerFlags) => {
    const client = ownerClient(flags);
    const pages = await everyPage((page) => client.listOwners({ tenant: flags.tenant ?? "", ...page }));
    const owners = pages.flatMap((page) => page.owners);
    printMessage(flags, ListOwnersResponseSchema, create(ListOwnersResponseSchema, { owners }), {
      quiet: owners.map(({ owner }) => owner).join("\n"),
      table: ownerTable(owners),
    });
    if (owners.length === 0 && !flags.quiet) tell("no owners");
  });
}
