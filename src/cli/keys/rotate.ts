import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { parseDuration } from "../../config/duration.ts";
import { type Key, KeyState } from "../../gen/keyward/admin/v1/key_pb.ts";
import { RotateKeyResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { UsageError } from "../exit.ts";
import { facts, printMessage, tell } from "../output.ts";
import { expiry, shownTime } from "../values.ts";
import { keyClient, keyFacts, NAMES } from "./show.ts";

interface RotateFlags extends CommonFlags {
  readonly grace?: string;
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
    .option("--expires-in <duration>", "when the successor ends (default: when the old key would have)")
    .option("--request-id <id>", "makes a retry with the same id return the same successor, without its secret")
    .option("--validate-only", "only judge the request; nothing is changed")
    .addHelpText("after", "\nExample:\n  keyward keys rotate kw_4fGh12Kq --grace 7d");
  return addCommonFlags(command, "the secret").action(async (key: string, flags: RotateFlags) => {
    const answer = await keyClient(flags).rotateKey({
      key,
      ...(flags.grace === undefined ? {} : { grace: durationFromMs(graceMs(flags.grace)) }),
      expiry: flags.expiresIn === undefined ? { case: undefined } : expiry("--expires-in", flags.expiresIn),
      requestId: flags.requestId ?? "",
      validateOnly: flags.validateOnly ?? false,
    });
    printMessage(flags, RotateKeyResponseSchema, answer, {
      quiet: answer.secret,
      table: facts([["secret", answer.secret], ...keyFacts(answer.key)]),
    });
    if (flags.validateOnly) tell("The request is valid; nothing was changed.");
    else if (answer.secret === "") tell("This request was made before; its secret was shown then.");
    else if (!flags.quiet) tell(fateOf(answer.rotated));
    if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  });
}

function fateOf(rotated: Key | undefined): string {
  const end = rotated?.state === KeyState.ROTATED ? `opens until ${shownTime(rotated.graceEndsAt)}` : "opens no more";
  return `The old key ${rotated?.start} ${end}.`;
}

function graceMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--grace ${text} must be a duration such as 600 (seconds), 24h or 7d`);
  return ms;
}
