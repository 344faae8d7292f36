import { create } from "@bufbuild/protobuf";
import { Command } from "commander";
import { ListKeysResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { UsageError } from "../exit.ts";
import { printMessage, tell } from "../output.ts";
import { everyPage } from "../pages.ts";
import { duration } from "../values.ts";
import { keyClient, keyTable } from "./show.ts";

interface ListFlags extends CommonFlags {
  readonly owner?: string;
  readonly tenant?: string;
  readonly state?: string;
  readonly unusedFor?: string;
}

/** `keyward keys list`. */
export function listCommand(): Command {
  const command = new Command("list")
    .description("list keys in the order in which they were made")
    .option("--owner <owner>", "only those of this owner")
    .option("--tenant <tenant>", "only those of this tenant")
    .option("--state <state>", "only those that are active, disabled, expired, revoked or rotated")
    .option("--unused-for <duration>", "only those not used for so long, such as 90d, or never and made before that")
    .addHelpText("after", "\nExample:\n  keyward keys list --state active --unused-for 90d");
  return addCommonFlags(command, "the ids").action(async (flags: ListFlags) => {
    const { unusedFor, ...named } = flags;
    const filter = [
      ...(["owner", "tenant", "state"] as const).flatMap((field) => {
        const value = named[field];
        return value === undefined ? [] : [comparison(field, value)];
      }),
      ...(unusedFor === undefined ? [] : [`unused_for = ${duration("--unused-for", unusedFor)}`]),
    ].join(" AND ");
    const client = keyClient(flags);
    const pages = await everyPage((page) => client.listKeys({ filter, ...page }));
    const keys = pages.flatMap((page) => page.keys);
    printMessage(flags, ListKeysResponseSchema, create(ListKeysResponseSchema, { keys }), {
      quiet: keys.map(({ id }) => id).join("\n"),
      table: keyTable(keys),
    });
    if (keys.length === 0 && !flags.quiet) tell("no keys");
  });
}

/** A filter's values stand in quotation marks and have no escapes, so that what would end one cannot be asked for. */
function comparison(field: string, value: string): string {
  if (/["\\]/.test(value)) throw new UsageError(`--${field} ${value} must hold no quotation mark and no backslash`);
  return `${field} = "${value}"`;
}
