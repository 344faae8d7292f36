import { Command, Option } from "commander";
import { UpdateOwnerResponseSchema } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { UsageError } from "../exit.ts";
import { list } from "../values.ts";
import { addOwnerName, type OwnerFlags, ownerClient, showOwner } from "./show.ts";

interface UpdateFlags extends OwnerFlags {
  readonly displayName?: string;
  readonly scopes?: string[];
  readonly anyScopes?: boolean;
  readonly etag?: string;
}

/** `keyward owners update`. */
export function updateCommand(): Command {
  const command = new Command("update")
    .description("change what an owner is, and with it what its keys may do; what is not named stays as it is")
    .option("--display-name <text>", "what people call it")
    .option("--scopes <scopes>", 'all that its keys may ask for from now on; "" for nothing', list)
    .addOption(new Option("--any-scopes", "its keys may ask for what each was given").conflicts("scopes"))
    .option("--etag <etag>", "only if the owner is still the one that was read with this etag")
    .addHelpText("after", "\nExample:\n  keyward owners update user/alice --tenant acme --scopes api:read");
  return addOwnerName(command).action(async (owner: string, flags: UpdateFlags) => {
    const paths = [
      ...(flags.displayName === undefined ? [] : ["display_name"]),
      ...(flags.scopes === undefined ? [] : ["scopes"]),
      ...(flags.anyScopes ? ["limit_scopes"] : []),
    ];
    if (paths.length === 0) throw new UsageError("nothing to change: name at least one field (--help tells which)");
    const answer = await ownerClient(flags).updateOwner({
      owner,
      tenant: flags.tenant ?? "",
      updateMask: { paths },
      etag: flags.etag ?? "",
      displayName: flags.displayName ?? "",
      scopes: flags.scopes ?? [],
    });
    showOwner(flags, UpdateOwnerResponseSchema, answer, fateOf(flags));
  });
}

/** What the change is for its keys; undefined: nothing. */
function fateOf({ scopes, anyScopes }: UpdateFlags): string | undefined {
  if (scopes !== undefined) return "are cut to its scopes now";
  return anyScopes ? "are cut to its scopes no longer" : undefined;
}
