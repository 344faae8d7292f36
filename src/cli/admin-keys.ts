import { createClient } from "@connectrpc/connect";
import { Command } from "commander";
import { ADMIN_SCOPES } from "../admin/admin-scope.ts";
import {
  type AdminKey,
  AdminKeyService,
  CreateAdminKeyResponseSchema,
  ListAdminKeysResponseSchema,
  RevokeAdminKeyResponseSchema,
} from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { type ConnectionFlags, connectAdmin } from "./admin-connection.ts";
import { addCommonFlags, type CommonFlags } from "./common-flags.ts";
import { UsageError } from "./exit.ts";
import { columns, facts, printMessage, tell } from "./output.ts";
import { list, shownTime } from "./values.ts";

interface CreateFlags extends CommonFlags {
  readonly name: string;
  readonly scopes?: string[];
  readonly tenant?: string;
}

/** `keyward admin-keys create|list|revoke`. */
export function adminKeysCommand(): Command {
  const keys = new Command("admin-keys").description("create, list and end the keys of administrators");
  return keys.addCommand(createCommand()).addCommand(listCommand()).addCommand(revokeCommand());
}

function createCommand(): Command {
  const command = new Command("create")
    .description("create an admin key for use over the network and print its secret, this once")
    .requiredOption("--name <text>", "what people call it")
    .option(
      "--scopes <scopes>",
      `${ADMIN_SCOPES.join(", ")}; repeat, or separate by comma or space (default: all that you have)`,
      list,
    )
    .option("--tenant <tenant>", "the only tenant that it sees and touches (default: yours, if you are bound to one)")
    .addHelpText(
      "after",
      "\nExample:\n  keyward admin-keys create --name acme-ops --tenant acme --scopes keys:read,keys:write,owners:write",
    );
  return addCommonFlags(command, "the secret").action(async (flags: CreateFlags) => {
    const { name, scopes = [], tenant } = flags;
    // An empty variable in a script must not make a key that sees every tenant.
    if (tenant === "") throw new UsageError("--tenant must name a tenant; without it, the key is bound to none");
    const answer = await client(flags).createAdminKey({ name, scopes, tenant: tenant ?? "" });
    const secret: [string, string] = ["secret", answer.secret];
    printMessage(flags, CreateAdminKeyResponseSchema, answer, {
      quiet: answer.secret,
      table: facts([secret, ...adminKeyFacts(answer.key)]),
    });
    if (!flags.quiet) tell("The secret is shown this once; only its SHA-256 is stored.");
  });
}

function listCommand(): Command {
  const command = new Command("list").description("list all admin keys, ended ones too");
  return addCommonFlags(command, "the ids").action(async (flags: CommonFlags) => {
    const answer = await client(flags).listAdminKeys({});
    printMessage(flags, ListAdminKeysResponseSchema, answer, {
      quiet: answer.keys.map(({ id }) => id).join("\n"),
      table: columns(["ID", "START", "NAME", "TENANT", "STATE", "SCOPES", "CREATED"], answer.keys.map(adminKeyRow)),
    });
    if (answer.keys.length === 0 && !flags.quiet) tell("no admin keys");
  });
}

function revokeCommand(): Command {
  const command = new Command("revoke")
    .description("end an admin key for good; the next call with it is refused")
    .argument(
      "<key>",
      "its id, its start (kwadm_ and the first eight characters) or those eight alone, or the key itself",
    );
  return addCommonFlags(command, "its id").action(async (key: string, flags: CommonFlags) => {
    const answer = await client(flags).revokeAdminKey({ key });
    printMessage(flags, RevokeAdminKeyResponseSchema, answer, {
      quiet: answer.key?.id ?? "",
      table: facts(adminKeyFacts(answer.key)),
    });
  });
}

function client(flags: ConnectionFlags) {
  return createClient(AdminKeyService, connectAdmin(flags));
}

function adminKeyFacts(key: AdminKey | undefined): [string, string][] {
  if (key === undefined) return [];
  return [
    ["id", key.id],
    ["start", key.start],
    ["name", key.name],
    ["tenant", key.tenant],
    ["scopes", key.scopes.join(" ")],
    ["created", `${shownTime(key.createdAt)} by ${key.createdBy}`],
    ["revoked", key.revokedAt === undefined ? "" : `${shownTime(key.revokedAt)} by ${key.revokedBy}`],
  ];
}

function adminKeyRow(key: AdminKey): string[] {
  const state = key.revokedAt === undefined ? "active" : "revoked";
  return [key.id, key.start, key.name, key.tenant, state, key.scopes.join(" "), shownTime(key.createdAt)];
}
