import { Command } from "commander";
import { CreateOwnerResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { list } from "../values.ts";
import { addOwnerName, type OwnerFlags, ownerClient, showOwner } from "./show.ts";

interface CreateFlags extends OwnerFlags {
  readonly displayName?: string;
  readonly scopes?: string[];
}

/** `keyward owners create`. */
export function createCommand(): Command {
  const command = new Command("create")
    .description("register an owner, to limit and end all its keys at once, those that are there already as well")
    .option("--display-name <text>", "what people call it")
    .option(
      "--scopes <scopes>",
      'what its keys may ask for at the most, "" for nothing; repeat, or separate by comma or space (default: what each was given)',
      list,
    )
    .addHelpText(
      "after",
      '\nExample:\n  keyward owners create user/alice --tenant acme --display-name "Alice" --scopes api:read,orders:*',
    );
  return addOwnerName(command).action(async (owner: string, flags: CreateFlags) => {
    const answer = await ownerClient(flags).createOwner({
      owner,
      tenant: flags.tenant ?? "",
      displayName: flags.displayName ?? "",
      scopes: flags.scopes ?? [],
      limitScopes: flags.scopes !== undefined,
    });
    const fate = flags.scopes === undefined ? "are governed by it now" : "are cut to its scopes now";
    showOwner(flags, CreateOwnerResponseSchema, answer, fate);
  });
}
