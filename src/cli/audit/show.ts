import { createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import { AuditService, type Event } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import { type ConnectionFlags, connectAdmin } from "../admin-connection.ts";
import { UsageError } from "../exit.ts";
import { columns } from "../output.ts";
import { shownTime } from "../values.ts";

/** The flags that say which events. */
export interface EventFlags {
  readonly action?: string;
  readonly actor?: string;
  readonly target?: string;
  readonly tenant?: string;
}

/** Gives a command those flags. */
export function addEventFlags(command: Command): Command {
  return command
    .option("--action <action>", 'only this action, such as keys.revoke; "keys.*" for all of keys')
    .option("--actor <actor>", "only what this admin key did, by its id; local for the local admin socket")
    .option("--target <target>", "only what was done to this record, by its id; of an owner [TENANT ]NAME")
    .option("--tenant <tenant>", "only what is about this tenant");
}

/** The audit service that the flags name. */
export function auditClient(flags: ConnectionFlags) {
  return createClient(AuditService, connectAdmin(flags));
}

/** The comparisons of a filter, which are to be joined by AND. */
export function comparisonsOf(flags: EventFlags): string[] {
  return (["action", "actor", "target", "tenant"] as const).flatMap((field) => {
    const value = flags[field];
    if (value === undefined) return [];
    // A filter's values have no escapes, so that what would end one cannot be asked for.
    if (/["\\]/.test(value)) throw new UsageError(`--${field} ${value} must hold no quotation mark and no backslash`);
    return [`${field} = "${value}"`];
  });
}

/** Events as a table. */
export function eventTable(events: readonly Event[]): string {
  return columns(["SEQ", "AT", "ACTOR", "SOURCE", "ACTION", "TARGET", "DETAIL"], events.map(eventRow));
}

/** An event as a line of its own. */
export function eventLine(event: Event): string {
  return eventRow(event).join("  ");
}

function eventRow({ seq, at, actor, source, action, target, detail }: Event): string[] {
  return [String(seq), shownTime(at), actor, source, action, target, detail === "{}" ? "" : shortened(detail)];
}

/** A table has one line an event; `-o json` has all of it. */
const MAX_DETAIL_LENGTH = 120;

function shortened(text: string): string {
  return text.length <= MAX_DETAIL_LENGTH ? text : `${text.slice(0, MAX_DETAIL_LENGTH - 1)}…`;
}
