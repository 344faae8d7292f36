import { setTimeout as delay } from "node:timers/promises";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { AuditService } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import type { EventFilter } from "../../store/audit-trail.ts";
import type { Store } from "../../store/store.ts";
import { type Caller, callerOf, whyEnded } from "../caller.ts";
import { apiError, invalidArgument } from "../errors.ts";
import { pageLimit, placeBefore, tokenBehind } from "../page.ts";
import { tenantMeant } from "../tenancy.ts";
import { parseEventFilter } from "./event-filter.ts";
import { eventMessage, trailMessage } from "./event-message.ts";
import type { Watches } from "./watches.ts";

/** How often a watcher asks for more, which is a look-up in an index: nobody who watches a log notices half a second. */
const WATCH_INTERVAL_MS = 250;

/** A watcher reads so many events at once, and the next ones only when these have been taken from it. */
const WATCH_BATCH = 100;

/** Tells the audit trail. Requests have passed the rules and callers their scope before they come here. */
export function createAuditService(store: Store, watches: Watches): ServiceImpl<typeof AuditService> {
  return {
    listEvents(request, context) {
      const caller = callerOf(context);
      const filter = narrowing(request.filter, caller);
      const order = request.orderBy === "seq" ? "oldest first" : "newest first";
      const list = { tokenKey: store.identity.pageTokenKey, name: `events ${JSON.stringify([order, filter])}` };
      const place = placeBefore(request, caller, list);
      const after = place === undefined ? undefined : Number(place);
      const page = store.listEvents({ ...filter, order, after, limit: pageLimit(request) });
      return {
        events: page.events.map((event) => eventMessage(event, caller)),
        nextPageToken: page.hasMore ? tokenBehind(String(page.through), caller, list) : "",
        ...(caller.tenant === undefined && { trail: trailMessage(page) }),
      };
    },

    async *watchEvents(request, context) {
      const caller = callerOf(context);
      const filter = narrowing(request.filter, caller);
      const read = (after: number) => store.listEvents({ ...filter, order: "oldest first", after, limit: WATCH_BATCH });
      let after = request.afterSeq === undefined ? headOf(store) : Number(request.afterSeq);
      const end = watches.begin();
      try {
        yield {};
        while (!context.signal.aborted) {
          const { events, through, hasMore } = read(after);
          refuseEnded(caller);
          for (const event of events) {
            yield { event: eventMessage(event, caller) };
            // It may have been long until that was taken.
            refuseEnded(caller);
          }
          after = through ?? after;
          if (!hasMore) await delay(WATCH_INTERVAL_MS, undefined, { signal: context.signal }).catch(() => {});
        }
      } finally {
        end();
      }
    },
  };

  function refuseEnded(caller: Caller): void {
    const why = whyEnded(caller, store, Date.now());
    if (why !== undefined) throw apiError(Code.Unauthenticated, "UNAUTHENTICATED", why);
  }
}

function headOf(store: Store): number {
  return store.listEvents({ order: "newest first", limit: 1 }).head.seq;
}

/** What a filter narrows the events to, and in any case to what the caller sees. */
function narrowing(text: string, caller: Caller): EventFilter {
  const parsed = parseEventFilter(text);
  if (typeof parsed === "string") throw invalidArgument([{ field: "filter", description: parsed }]);
  return caller.tenant === undefined ? parsed : { ...parsed, tenant: tenantMeant(parsed.tenant ?? "", caller) };
}
