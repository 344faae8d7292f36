import { Command } from "commander";
import { DeleteOwnerResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { facts, printMessage, tell } from "../output.ts";
import { addOwnerName, type OwnerFlags, ownerClient } from "./show.ts";

interface DeleteFlags extends OwnerFlags {
  readonly etag?: string;
}

/** `keyward owners delete`. */
export function deleteCommand(): Command {
  const command = new Command("delete")
    .description("revoke all keys of an owner for good, and forget it")
    .option("--etag <etag>", "only if the owner is still the one that was read with this etag")
    .addHelpText("after", "\nExample:\n  keyward owners delete user/alice --tenant acme");
  return addOwnerName(command, "how many keys were revoked").action(async (owner: string, flags: DeleteFlags) => {
    const answer = await ownerClient(flags).deleteOwner({
      owner,
      tenant: flags.tenant ?? "",
      etag: flags.etag ?? "",
    });
    const revoked = String(answer.revokedKeys);
    printMessage(flags, DeleteOwnerResponseSchema, answer, {
      quiet: revoked,
      table: facts([
        ["deleted", owner],
        ["tenant", flags.tenant ?? ""],
        ["revoked keys", revoked],
      ]),
    });
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}
