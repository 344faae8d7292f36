import { type Duration, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { formatDuration, parseDuration } from "../../config/duration.ts";
import { type Key, KeyState } from "../../gen/keyward/admin/v1/key_pb.ts";
import { RotateKeyResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { UsageError } from "../exit.ts";
import { facts, printMessage, tell } from "../output.ts";
import { duration, expiry, shownTime } from "../values.ts";
import { keyClient, keyFacts, NAMES, tellShownBefore } from "./show.ts";

interface RotateFlags extends CommonFlags {
  readonly grace?: string;
  readonly untilQuiet?: string;
  readonly atMost?: string;
  readonly expiresIn?: string;
  readonly requestId?: string;
  readonly validateOnly?: boolean;
}

/** `keyward keys rotate`. */
export function rotateCommand(): Command {
  const command = new Command("rotate")
    .description("make a successor with the same rights and print its secret, this once")
    .argument("<key>", NAMES)
    .option("--grace <duration>", "how long the old key goes on opening; 0 ends it at once (default: 24h)")
    .option("--until-quiet <duration>", "end the old key once it has not been used for so long")
    .option("--at-most <duration>", "with --until-quiet: when the old key ends in any case (default: 30d)")
    .option("--expires-in <duration>", "when the successor ends (default: when the old key would have)")
    .option("--request-id <id>", "makes a retry with the same id return the same successor, without its secret")
    .option("--validate-only", "only judge the request; nothing is changed")
    .addHelpText(
      "after",
      `
Examples:
  keyward keys rotate kw_4fGh12Kq --grace 7d
  keyward keys rotate kw_4fGh12Kq --until-quiet 24h --at-most 30d

Until it ends, "keyward keys get" of the old key names the networks and user agents that still use it. Only uses that this
program checks itself are seen: not those of another process with --mode authz.`,
    );
  return addCommonFlags(command, "the secret").action(async (key: string, flags: RotateFlags) => {
    const answer = await keyClient(flags).rotateKey({
      key,
      ...graceOf(flags),
      expiry: flags.expiresIn === undefined ? { case: undefined } : expiry("--expires-in", flags.expiresIn),
      requestId: flags.requestId ?? "",
      validateOnly: flags.validateOnly ?? false,
    });
    printMessage(flags, RotateKeyResponseSchema, answer, {
      quiet: answer.secret,
      table: facts([["secret", answer.secret], ...keyFacts(answer.key)]),
    });
    if (flags.validateOnly) tell("The request is valid; nothing was changed.");
    else if (answer.secret === "") tellShownBefore(flags);
    else if (!flags.quiet) tell(fateOf(answer.rotated));
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}

function fateOf(rotated: Key | undefined): string {
  return `The old key ${rotated?.start} ${endOf(rotated)}.`;
}

function endOf(rotated: Key | undefined): string {
  if (rotated?.state !== KeyState.ROTATED) return "opens no more";
  const hardEnd = `opens until ${shownTime(rotated.graceEndsAt)}`;
  if (rotated.untilQuiet === undefined) return hardEnd;
  return `${hardEnd}, or until it has not been used for ${formatDuration(durationMs(rotated.untilQuiet))}`;
}

/** `--at-most` is the grace of a key that is to end once it is quiet; beside `--grace` it would be a second one. */
function graceOf({ grace, untilQuiet, atMost }: RotateFlags) {
  if (untilQuiet === undefined) {
    if (atMost !== undefined)
      throw new UsageError("--at-most needs --until-quiet; without it, --grace says when it ends");
    return grace === undefined ? {} : { grace: span("--grace", grace) };
  }
  if (grace !== undefined) throw new UsageError("--grace contradicts --until-quiet; its hard end is --at-most");
  const quiet = { untilQuiet: span("--until-quiet", untilQuiet) };
  return atMost === undefined ? quiet : { ...quiet, grace: span("--at-most", atMost) };
}

function span(flag: string, text: string): Duration {
  return durationFromMs(parseDuration(duration(flag, text)) ?? 0);
}
