import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import { type Owner, OwnerService } from "../../gen/keyward/admin/v1/owner_service_pb.ts";
import { type ConnectionFlags, connectAdmin } from "../admin-connection.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { columns, facts, printMessage, tell } from "../output.ts";
import { shownTime } from "../values.ts";

/** The flags of a command about one owner. */
export interface OwnerFlags extends CommonFlags {
  readonly tenant?: string;
}

/** Gives a command the argument and the flag that name an owner, and the common flags. */
export function addOwnerName(command: Command, quietly = "its name"): Command {
  command
    .argument("<owner>", "user/…, service/… or project/…")
    .option("--tenant <tenant>", "the tenant it belongs to; the same name in another, or in none, is another owner");
  return addCommonFlags(command, quietly);
}

/** The owner service that the flags name. */
export function ownerClient(flags: ConnectionFlags) {
  return createClient(OwnerService, connectAdmin(flags));
}

/** Prints what has become of an owner, and tells what that is for its keys: `are refused now`. */
export function showOwner<Schema extends DescMessage>(
  flags: CommonFlags,
  schema: Schema,
  answer: MessageShape<Schema> & { readonly owner?: Owner | undefined; readonly warning?: string },
  fate?: string,
): void {
  const { owner, warning = "" } = answer;
  printMessage(flags, schema, answer, { quiet: owner?.owner ?? "", table: facts(ownerFacts(owner)) });
  if (fate !== undefined && owner !== undefined && !flags.quiet) tell(fateOf(owner.keyCount, fate));
  if (warning !== "") tell(`warning: ${warning}`);
}

/** `2 keys are refused now.` */
function fateOf(count: bigint, fate: string): string {
  return count === 1n ? `1 key ${fate.replace(/^are /, "is ")}.` : `${count} keys ${fate}.`;
}

function ownerFacts(owner: Owner | undefined): [string, string][] {
  if (owner === undefined) return [];
  return [
    ["owner", owner.owner],
    ["tenant", owner.tenant],
    ["display name", owner.displayName],
    ["state", shownState(owner)],
    ["scopes", shownScopes(owner)],
    ["keys", String(owner.keyCount)],
    ["created", `${shownTime(owner.createdAt)} by ${owner.createdBy}`],
    ["disabled", shownTime(owner.disabledAt)],
    ["etag", owner.etag],
  ];
}

/** Owners as a table. */
export function ownerTable(owners: readonly Owner[]): string {
  const head = ["OWNER", "TENANT", "STATE", "KEYS", "CREATED", "SCOPES", "DISPLAY NAME"];
  return columns(head, owners.map(ownerRow));
}

function ownerRow(owner: Owner): string[] {
  const { owner: name, tenant, keyCount, createdAt, displayName } = owner;
  return [name, tenant, shownState(owner), String(keyCount), shownTime(createdAt), shownScopes(owner), displayName];
}

function shownState({ disabled }: Owner): string {
  return disabled ? "disabled" : "active";
}

/** No scope holds a space, so that neither of the two can be taken for one. */
function shownScopes({ limitScopes, scopes }: Owner): string {
  if (!limitScopes) return "any scopes";
  return scopes.length === 0 ? "no scopes" : scopes.join(" ");
}
