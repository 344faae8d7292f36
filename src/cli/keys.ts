import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { Command } from "commander";
import { type Key, KeyStateSchema } from "../gen/keyward/admin/v1/key_pb.ts";
import {
  CreateKeyResponseSchema,
  GetKeyResponseSchema,
  KeyService,
  ListKeysResponseSchema,
  RevokeKeyResponseSchema,
} from "../gen/keyward/admin/v1/key_service_pb.ts";
import { addConnectionFlags, type ConnectionFlags, connectAdmin } from "./admin-connection.ts";
import { UsageError } from "./exit.ts";
import { addOutputFlags, columns, facts, type OutputFlags, printMessage, tell } from "./output.ts";
import { expiry, list, repeated, shownTime, time } from "./values.ts";

type CommonFlags = ConnectionFlags & OutputFlags;

/** `keyward keys create|get|list|revoke`. */
export function keysCommand(): Command {
  const keys = new Command("keys").description("create, show and end the keys that callers present");
  return keys
    .addCommand(createCommand())
    .addCommand(getCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

interface CreateFlags extends CommonFlags {
  readonly name: string;
  readonly owner?: string;
  readonly tenant?: string;
  readonly note?: string;
  readonly scopes?: string[];
  readonly path?: string[];
  readonly expiresIn?: string;
  readonly notBefore?: string;
}

function createCommand(): Command {
  const command = new Command("create")
    .description("create a key and print its secret, this once")
    .requiredOption("--name <text>", "what people call it")
    .option("--owner <owner>", "who it belongs to: user/…, service/… or project/…")
    .option("--tenant <tenant>", "the tenant it belongs to")
    .option("--note <text>", "anything worth knowing about it")
    .option("--scopes <scopes>", "what it may ask for; repeat, or separate by comma or space", list)
    .option(
      "--path <path>",
      "where it opens: /v1 and all below, =/v1 only that; repeat for several (default: any)",
      repeated,
    )
    .option("--expires-in <duration>", "when it ends: 600 (seconds), 24h, 90d, never, or a time (default: never)")
    .option("--not-before <time>", "refused before this time, such as 2026-12-31T23:59:59Z")
    .addHelpText(
      "after",
      "\nExample:\n  keyward keys create --name ci --owner service/ci --scopes api:read,api:write --path /api/v1 --expires-in 90d",
    );
  return addOutputFlags(addConnectionFlags(command), "the secret").action(async (flags: CreateFlags) => {
    const request = {
      name: flags.name,
      owner: flags.owner ?? "",
      tenant: flags.tenant ?? "",
      note: flags.note ?? "",
      scopes: flags.scopes ?? [],
      paths: flags.path ?? [],
      ...(flags.notBefore === undefined ? {} : { notBefore: time("--not-before", flags.notBefore) }),
      expiry: expiry("--expires-in", flags.expiresIn ?? "never"),
    };
    const answer = await client(flags).createKey(request);
    const secret: [string, string] = ["secret", answer.secret];
    printMessage(flags, CreateKeyResponseSchema, answer, {
      quiet: answer.secret,
      table: facts([secret, ...keyFacts(answer.key)]),
    });
    if (!flags.quiet) tell("The secret is shown this once; only its SHA-256 is stored.");
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}

function getCommand(): Command {
  const command = new Command("get").description("show one key").argument("<key>", NAMES);
  return addOutputFlags(addConnectionFlags(command), "its id").action(async (key: string, flags: CommonFlags) => {
    const answer = await client(flags).getKey({ key });
    printMessage(flags, GetKeyResponseSchema, answer, {
      quiet: answer.key?.id ?? "",
      table: facts(keyFacts(answer.key)),
    });
  });
}

interface ListFlags extends CommonFlags {
  readonly owner?: string;
  readonly tenant?: string;
  readonly state?: string;
}

/** As many as the API gives at once. */
const PAGE_SIZE = 1_000;

function listCommand(): Command {
  const command = new Command("list")
    .description("list keys in the order in which they were made")
    .option("--owner <owner>", "only those of this owner")
    .option("--tenant <tenant>", "only those of this tenant")
    .option("--state <state>", "only those that are active, expired or revoked");
  return addOutputFlags(addConnectionFlags(command), "the ids").action(async (flags: ListFlags) => {
    const filter = (["owner", "tenant", "state"] as const)
      .flatMap((field) => (flags[field] === undefined ? [] : [comparison(field, flags[field])]))
      .join(" AND ");
    const keys: Key[] = [];
    let pageToken = "";
    do {
      const page = await client(flags).listKeys({ filter, pageSize: PAGE_SIZE, pageToken });
      keys.push(...page.keys);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    printMessage(flags, ListKeysResponseSchema, create(ListKeysResponseSchema, { keys }), {
      quiet: keys.map(({ id }) => id).join("\n"),
      table: columns(["ID", "START", "NAME", "OWNER", "TENANT", "STATE", "EXPIRES", "SCOPES"], keys.map(keyRow)),
    });
    if (keys.length === 0 && !flags.quiet) tell("no keys");
  });
}

/** A filter's values stand in quotation marks and have no escapes, so that what would end one cannot be asked for. */
function comparison(field: string, value: string): string {
  if (/["\\]/.test(value)) throw new UsageError(`--${field} ${value} must hold no quotation mark and no backslash`);
  return `${field} = "${value}"`;
}

function revokeCommand(): Command {
  const command = new Command("revoke")
    .description("end a key for good; the next check refuses it")
    .argument("<key>", NAMES)
    .option("--reason <text>", "why, for those who ask later");
  return addOutputFlags(addConnectionFlags(command), "its id").action(
    async (key: string, flags: CommonFlags & { readonly reason?: string }) => {
      const answer = await client(flags).revokeKey({ key, reason: flags.reason ?? "" });
      printMessage(flags, RevokeKeyResponseSchema, answer, {
        quiet: answer.key?.id ?? "",
        table: facts(keyFacts(answer.key)),
      });
      if (answer.warning !== "") tell(`warning: ${answer.warning}`);
    },
  );
}

const NAMES = "its id, its start (kw_ and the first eight characters) or those eight alone, or the key itself";

function client(flags: ConnectionFlags) {
  return createClient(KeyService, connectAdmin(flags));
}

function keyFacts(key: Key | undefined): [string, string][] {
  if (key === undefined) return [];
  return [
    ["id", key.id],
    ["start", key.start],
    ["name", key.name],
    ["owner", key.owner],
    ["tenant", key.tenant],
    ["state", shownState(key)],
    ["scopes", key.scopes.join(" ")],
    ["paths", key.paths.join(" ")],
    ["not before", shownTime(key.notBefore)],
    ["expires", key.expiresAt === undefined ? "never" : shownTime(key.expiresAt)],
    ["note", key.note],
    ["created", `${shownTime(key.createdAt)} by ${key.createdBy}`],
    ["revoked", key.revokedAt === undefined ? "" : `${shownTime(key.revokedAt)} by ${key.revokedBy}`],
    ["reason", key.revokeReason],
    ["revision", String(key.revision)],
  ];
}

function keyRow(key: Key): string[] {
  const expires = key.expiresAt === undefined ? "never" : shownTime(key.expiresAt);
  return [key.id, key.start, key.name, key.owner, key.tenant, shownState(key), expires, key.scopes.join(" ")];
}

/** As the configuration and the filter write it: `active` for KEY_STATE_ACTIVE. */
function shownState({ state }: Key): string {
  return (KeyStateSchema.value[state]?.localName ?? String(state)).toLowerCase();
}
