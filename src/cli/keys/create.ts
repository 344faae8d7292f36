import { Command, Option } from "commander";
import { type Key, KeyFormat } from "../../gen/keyward/admin/v1/key_pb.ts";
import { CreateKeyResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { SIGNING_ALGS } from "../../key/signing-alg.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { facts, printMessage, tell } from "../output.ts";
import { expiry, list, pairs, rateLimit, repeated, time } from "../values.ts";
import { type FieldFlags, keyClient, keyFacts, tellShownBefore } from "./show.ts";

interface CreateFlags extends CommonFlags, FieldFlags {
  readonly name: string;
  readonly owner?: string;
  readonly tenant?: string;
  readonly prefix?: string;
  readonly format?: keyof typeof FORMATS;
  readonly alg?: string;
  readonly requestId?: string;
  readonly validateOnly?: boolean;
}

const FORMATS = { opaque: KeyFormat.OPAQUE, jwt: KeyFormat.JWT } as const;

/** `keyward keys create`. */
export function createCommand(): Command {
  const command = new Command("create")
    .description("create a key and print its secret, this once")
    .requiredOption("--name <text>", "what people call it")
    .option("--owner <owner>", "who it belongs to: user/…, service/… or project/…")
    .option("--tenant <tenant>", "the tenant it belongs to")
    .option("--note <text>", "anything worth knowing about it")
    .option("--metadata <name=value>", "for your tools; repeat for several", repeated)
    .option("--scopes <scopes>", "what it may ask for; repeat, or separate by comma or space", list)
    .option("--inherit-scopes", "all that its owner has, at each check, instead of scopes of its own")
    .option(
      "--path <path>",
      "where it opens: /v1 and all below, =/v1 only that; repeat for several (default: any)",
      repeated,
    )
    .option(
      "--method <method>",
      "with what it opens, such as GET; repeat, or separate by comma or space (default: any)",
      list,
    )
    .option("--cidr <network>", "from where it opens, such as 10.0.0.0/8; repeat, or separate by comma or space", list)
    .option(
      "--expires-in <duration>",
      "when it ends: 600 (seconds), 24h, 90d, never, or a time (default: key_lifetime.default)",
    )
    .option("--not-before <time>", "refused before this time, such as 2026-12-31T23:59:59Z")
    .option(
      "--rate-limit <requests/window>",
      "how often it may be used, such as 100/60s (default: any number of times)",
    )
    .option("--prefix <prefix>", "what its secret begins with, such as acme_live (default: its tenant's, else kw)")
    .addOption(
      new Option("--format <format>", "what its secret looks like: jwt is a signed token (default: opaque)").choices(
        Object.keys(FORMATS),
      ),
    )
    .addOption(new Option("--alg <alg>", "how a jwt is signed (default: RS256)").choices(SIGNING_ALGS))
    .option("--request-id <id>", "makes a retry with the same id return the same key, without its secret")
    .option("--validate-only", "only judge the request; nothing is created")
    .addHelpText(
      "after",
      "\nExample:\n  keyward keys create --name ci --owner service/ci --scopes api:read,api:write --path /api/v1 --expires-in 90d",
    );
  return addCommonFlags(command, "the secret").action(async (flags: CreateFlags) => {
    const answer = await keyClient(flags).createKey({
      name: flags.name,
      owner: flags.owner ?? "",
      tenant: flags.tenant ?? "",
      note: flags.note ?? "",
      metadata: pairs("--metadata", flags.metadata ?? []),
      scopes: flags.scopes ?? [],
      inheritScopes: flags.inheritScopes ?? false,
      paths: flags.path ?? [],
      methods: flags.method ?? [],
      cidrs: flags.cidr ?? [],
      ...(flags.notBefore === undefined ? {} : { notBefore: time("--not-before", flags.notBefore) }),
      expiry: flags.expiresIn === undefined ? { case: undefined } : expiry("--expires-in", flags.expiresIn),
      ...(flags.rateLimit === undefined ? {} : { rateLimit: rateLimit("--rate-limit", flags.rateLimit) }),
      prefix: flags.prefix ?? "",
      format: FORMATS[flags.format ?? "opaque"],
      alg: flags.alg ?? "",
      requestId: flags.requestId ?? "",
      validateOnly: flags.validateOnly ?? false,
    });
    printMessage(flags, CreateKeyResponseSchema, answer, {
      quiet: answer.secret,
      table: facts([["secret", answer.secret], ...keyFacts(answer.key)]),
    });
    if (flags.validateOnly) tell("The request is valid; nothing was created.");
    else if (answer.secret === "") tellShownBefore(flags);
    else if (!flags.quiet) tell(`The secret is shown this once; only its SHA-256 is stored.${limitsOf(answer.key)}`);
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}

/** What back ends cannot see that verify a signed key by themselves. */
function limitsOf(key: Key | undefined): string {
  if (key?.format !== KeyFormat.JWT) return "";
  return "\nBack ends that verify it by themselves see its claims, and neither that it is revoked nor later changes.";
}
