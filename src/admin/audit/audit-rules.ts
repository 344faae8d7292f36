import { ListEventsRequestSchema, WatchEventsRequestSchema } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import { rulesOf } from "../rules/rule.ts";
import { quote } from "../rules/value-rules.ts";
import { parseEventFilter } from "./event-filter.ts";

function filter(text: string): string | undefined {
  const parsed = parseEventFilter(text);
  return typeof parsed === "string" ? parsed : undefined;
}

/** The bounds of AuditService. */
export const AUDIT_RULES = [
  rulesOf(ListEventsRequestSchema, {
    pageSize: (pageSize) => (pageSize < 0 ? `${pageSize} must be >= 0` : undefined),
    filter,
    orderBy: (order) =>
      ["", "seq", "seq desc"].includes(order) ? undefined : `${quote(order)} must be seq or seq desc`,
  }),
  rulesOf(WatchEventsRequestSchema, {
    afterSeq: (seq) => (seq !== undefined && seq < 0n ? `${seq} must be >= 0` : undefined),
    filter,
  }),
];
