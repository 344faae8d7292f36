import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { stringify } from "yaml";
import { type Event, EventSchema } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { EXIT_FAILURE, UsageError } from "../exit.ts";
import { type OutputFlags, tell } from "../output.ts";
import { addEventFlags, auditClient, comparisonsOf, type EventFlags, eventLine } from "./show.ts";

interface WatchFlags extends CommonFlags, EventFlags {
  readonly after?: string;
}

/** `keyward audit watch`. */
export function watchCommand(): Command {
  const command = addEventFlags(new Command("watch").description("tell of changes as they happen, until Ctrl-C"))
    .option("--after <number>", "begin behind the event of this number (default: with what happens from now on)")
    .addHelpText("after", "\nExample:\n  keyward audit watch --action 'keys.*' -o json");
  return addCommonFlags(command, "the numbers").action(async (flags: WatchFlags) => {
    if (flags.after !== undefined && !/^\d{1,15}$/.test(flags.after)) {
      throw new UsageError(`--after ${flags.after} must be the number of an event, or 0`);
    }
    const request = {
      filter: comparisonsOf(flags).join(" AND "),
      ...(flags.after !== undefined && { afterSeq: BigInt(flags.after) }),
    };
    // 0: it may take as long as it likes.
    for await (const { event } of auditClient(flags).watchEvents(request, { timeoutMs: 0 })) {
      if (event === undefined) {
        if (!flags.quiet) tell("watching");
      } else {
        process.stdout.write(`${shown(event, flags)}\n`);
      }
    }
    tell("keyward: the program has ended the watch; it is shutting down");
    process.exitCode = EXIT_FAILURE;
  });
}

/** One line an event, or with `-o yaml` one document. */
function shown(event: Event, flags: OutputFlags): string {
  if (flags.quiet) return String(event.seq);
  if (flags.output === "table") return eventLine(event);
  const json = toJson(EventSchema, event);
  return flags.output === "json" ? JSON.stringify(json) : `---\n${stringify(json).trimEnd()}`;
}
