import type { ObservedRequest } from "../check/check.ts";
import type { CheckContext } from "../check/context.ts";
import type { Decision } from "../check/decide.ts";
import type { Log } from "./log.ts";

/** As many lines a second tell what is going wrong; more would let a client fill the disk. */
const MAX_LINES_PER_SECOND = 10;

/** Longer methods, hosts and paths tell no more to a person. */
const MAX_LENGTH = 200;

/** Looked at before a text is cut; more would cost time that a client decides about. */
const MAX_LOOKED_AT = 2 * MAX_LENGTH;

/** What may be a secret that somebody put into the wrong place, whole or cut: longer than any id but a UUID. */
const LONG_WORD = /[0-9A-Za-z_%-]{40,}|[0-9A-Za-z]{1,32}_[0-9A-Za-z_]{9,}/g;

/** Tells of denials, a bounded number of lines a second, and of how many it kept to itself. */
export type DenialLog = (
  decision: Decision,
  request: ObservedRequest | undefined,
  context: CheckContext,
  cause?: unknown,
) => void;

/**
 * Makes the denial log of one check thread. Faults of ours are warnings with their cause; what clients do wrong is
 * information. A line names decision, reason, key, route, method and path, and never what was presented.
 */
export function createDenialLog(log: Log): DenialLog {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  return (decision, request, { nowMs, decisionId }, cause) => {
    if (decision.allowed) return;
    const now = Math.floor(nowMs / 1000);
    if (now !== second) {
      if (suppressed > 0) log("info", `${suppressed} more denials`, { suppressed });
      second = now;
      lines = suppressed = 0;
    }
    if (++lines > MAX_LINES_PER_SECOND) {
      suppressed++;
      return;
    }
    const fault = cause !== undefined || decision.reason === "misconfigured_route";
    log(fault ? "warn" : "info", `denied: ${decision.reason}`, {
      decision_id: decisionId,
      reason: decision.reason,
      key_id: decision.record?.id,
      route: decision.rule?.route,
      method: request === undefined ? undefined : shown(request.method),
      host: request?.authority === undefined ? undefined : shown(request.authority),
      path: request?.target === undefined ? undefined : shown(request.target.split("?", 1)[0] ?? ""),
      source: request?.sourceAddress,
      cause: cause === undefined ? undefined : describe(cause),
    });
  };
}

/** Long words go before the text is cut: half a secret is no word any more that could be told by its length. */
function shown(text: string): string {
  return text.slice(0, MAX_LOOKED_AT).replace(LONG_WORD, "…").slice(0, MAX_LENGTH);
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
