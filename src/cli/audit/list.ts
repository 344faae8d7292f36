import { create } from "@bufbuild/protobuf";
import { Command } from "commander";
import { type Event, ListEventsResponseSchema } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { UsageError } from "../exit.ts";
import { printMessage, tell } from "../output.ts";
import { pointInTime } from "../values.ts";
import { addEventFlags, auditClient, comparisonsOf, type EventFlags, eventTable } from "./show.ts";

interface ListFlags extends CommonFlags, EventFlags {
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
}

/** As many events as a person reads through. */
const DEFAULT_LIMIT = "100";

/** As many as the API gives at once. */
const MAX_PAGE_SIZE = 1_000;

/** `keyward audit list`. */
export function listCommand(): Command {
  const command = addEventFlags(new Command("list").description("list what was changed, the latest first"))
    .option("--since <time>", "only from then on: a time, or a duration such as 24h for so long ago")
    .option("--until <time>", "only before then, in the same forms")
    .option("--limit <number>", "so many events at the most", DEFAULT_LIMIT)
    .addHelpText("after", "\nExample:\n  keyward audit list --action 'keys.*' --since 24h");
  return addCommonFlags(command, "the numbers").action(async (flags: ListFlags) => {
    const nowMs = Date.now();
    const limit = /^[1-9]\d{0,8}$/.test(flags.limit) ? Number(flags.limit) : undefined;
    if (limit === undefined) throw new UsageError(`--limit ${flags.limit} must be a number >= 1 and <= 999999999`);
    const filter = [
      ...comparisonsOf(flags),
      ...(flags.since === undefined ? [] : [`at >= "${pointInTime("--since", flags.since, nowMs)}"`]),
      ...(flags.until === undefined ? [] : [`at < "${pointInTime("--until", flags.until, nowMs)}"`]),
    ].join(" AND ");
    const client = auditClient(flags);
    const events: Event[] = [];
    let pageToken = "";
    do {
      const pageSize = Math.min(limit - events.length, MAX_PAGE_SIZE);
      const page = await client.listEvents({ filter, pageSize, pageToken });
      events.push(...page.events);
      pageToken = page.nextPageToken;
    } while (pageToken !== "" && events.length < limit);
    printMessage(flags, ListEventsResponseSchema, create(ListEventsResponseSchema, { events }), {
      quiet: events.map(({ seq }) => seq).join("\n"),
      table: eventTable(events),
    });
    if (flags.quiet) return;
    if (events.length === 0) tell("no events");
    if (pageToken !== "") tell(`There may be more; --limit asks for more than ${limit}.`);
  });
}
