import { createClient } from "@connectrpc/connect";
import { Command } from "commander";
import {
  type AdminKey,
  AdminKeyService,
  CreateAdminKeyResponseSchema,
  ListAdminKeysResponseSchema,
  RevokeAdminKeyResponseSchema,
} from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { addConnectionFlags, type ConnectionFlags, connectAdmin } from "./admin-connection.ts";
import { addOutputFlags, columns, facts, type OutputFlags, printMessage, tell } from "./output.ts";
import { list, shownTime } from "./values.ts";

type CommonFlags = ConnectionFlags & OutputFlags;

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
      "keys:read, keys:write, admins:write; repeat, or separate by comma or space (default: all that you have)",
      list,
    );
  return addOutputFlags(addConnectionFlags(command), "the secret").action(
    async (flags: CommonFlags & { readonly name: string; readonly scopes?: string[] }) => {
      const answer = await client(flags).createAdminKey({ name: flags.name, scopes: flags.scopes ?? [] });
      const secret: [string, string] = ["secret", answer.secret];
      printMessage(flags, CreateAdminKeyResponseSchema, answer, {
        quiet: answer.secret,
        table: facts([secret, ...adminKeyFacts(answer.key)]),
      });
      if (!flags.quiet) tell("The secret is shown this once; only its SHA-256 is stored.");
    },
  );
}

function listCommand(): Command {
  const command = new Command("list").description("list all admin keys, ended ones too");
  return addOutputFlags(addConnectionFlags(command), "the ids").action(async (flags: CommonFlags) => {
    const answer = await client(flags).listAdminKeys({});
    printMessage(flags, ListAdminKeysResponseSchema, answer, {
      quiet: answer.keys.map(({ id }) => id).join("\n"),
      table: columns(["ID", "START", "NAME", "STATE", "SCOPES", "CREATED"], answer.keys.map(adminKeyRow)),
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
  return addOutputFlags(addConnectionFlags(command), "its id").action(async (key: string, flags: CommonFlags) => {
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
    ["scopes", key.scopes.join(" ")],
    ["created", `${shownTime(key.createdAt)} by ${key.createdBy}`],
    ["revoked", key.revokedAt === undefined ? "" : `${shownTime(key.revokedAt)} by ${key.revokedBy}`],
  ];
}

function adminKeyRow(key: AdminKey): string[] {
  const state = key.revokedAt === undefined ? "active" : "revoked";
  return [key.id, key.start, key.name, state, key.scopes.join(" "), shownTime(key.createdAt)];
}
