import { Command } from "commander";
import { UpdateKeyResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { UsageError } from "../exit.ts";
import { facts, printMessage, tell } from "../output.ts";
import { endAt, list, pairs, rateLimit, repeated, time } from "../values.ts";
import { type FieldFlags, keyClient, keyFacts, NAMES } from "./show.ts";

interface UpdateFlags extends CommonFlags, FieldFlags {
  readonly name?: string;
  readonly etag?: string;
  readonly validateOnly?: boolean;
}

/** The fields of the update mask, by their flag. */
const FIELDS = {
  name: "name",
  note: "note",
  metadata: "metadata",
  scopes: "scopes",
  inheritScopes: "inherit_scopes",
  path: "paths",
  method: "methods",
  cidr: "cidrs",
  notBefore: "not_before",
  expiresIn: "expires_at",
  rateLimit: "rate_limit",
} as const;

/** `keyward keys update`. */
export function updateCommand(): Command {
  const command = new Command("update")
    .description("change what a key is; what is not named stays as it is")
    .argument("<key>", NAMES)
    .option("--name <text>", "what people call it")
    .option("--note <text>", "anything worth knowing about it")
    .option("--metadata <name=value>", 'all that your tools are to find; repeat for several, "" for nothing', repeated)
    .option("--scopes <scopes>", 'all that it may ask for from now on; "" for nothing', list)
    .option("--inherit-scopes", "all that its owner has, at each check, instead of scopes of its own")
    .option("--path <path>", 'all places where it opens from now on; "" for any', repeated)
    .option("--method <method>", 'all methods with which it opens from now on; "" for any', list)
    .option("--cidr <network>", 'all networks from which it opens from now on; "" for any', list)
    .option("--expires-in <duration>", "when it ends, from now: 600 (seconds), 24h, 90d, never, or a time")
    .option("--not-before <time>", 'refused before this time; "" for from the start')
    .option("--rate-limit <requests/window>", 'how often it may be used, such as 100/60s; "" for any number of times')
    .option("--etag <etag>", "only if the key is still the one that was read with this etag")
    .option("--validate-only", "only judge the request; nothing is changed")
    .addHelpText(
      "after",
      '\nExample:\n  keyward keys update kw_4fGh12Kq --scopes api:read --note "read-only since the audit"',
    );
  return addCommonFlags(command, "its id").action(async (key: string, flags: UpdateFlags) => {
    const named = Object.entries(FIELDS).filter(([flag]) => flags[flag as keyof typeof FIELDS] !== undefined);
    if (named.length === 0) throw new UsageError("nothing to change: name at least one field (--help tells which)");
    const expiresAt = flags.expiresIn === undefined ? undefined : endAt("--expires-in", flags.expiresIn, Date.now());
    const answer = await keyClient(flags).updateKey({
      key,
      updateMask: { paths: named.map(([, field]) => field) },
      etag: flags.etag ?? "",
      name: flags.name ?? "",
      note: flags.note ?? "",
      metadata: pairs(
        "--metadata",
        (flags.metadata ?? []).filter((pair) => pair !== ""),
      ),
      scopes: flags.scopes ?? [],
      inheritScopes: flags.inheritScopes ?? false,
      paths: (flags.path ?? []).filter((path) => path !== ""),
      methods: flags.method ?? [],
      cidrs: flags.cidr ?? [],
      ...(flags.notBefore ? { notBefore: time("--not-before", flags.notBefore) } : {}),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(flags.rateLimit ? { rateLimit: rateLimit("--rate-limit", flags.rateLimit) } : {}),
      validateOnly: flags.validateOnly ?? false,
    });
    printMessage(flags, UpdateKeyResponseSchema, answer, {
      quiet: answer.key?.id ?? "",
      table: facts(keyFacts(answer.key)),
    });
    if (flags.validateOnly) tell("The request is valid; nothing was changed.");
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}
