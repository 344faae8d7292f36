import type { CheckContext, ObservedRequest } from "../check/check.ts";
import type { Decision } from "../check/decide.ts";
import type { Log } from "./log.ts";

/** As many lines a second tell what is going wrong; more would let a client fill the disk. */
const MAX_LINES_PER_SECOND = 10;

/** Longer paths tell no more to a person. */
const MAX_PATH_LENGTH = 200;

/** What may be a secret that somebody put into a path: longer than any id or UUID. */
const LONG_WORD = /[0-9A-Za-z_-]{40,}/g;

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
      method: request?.method.slice(0, 20),
      host: request?.authority?.slice(0, MAX_PATH_LENGTH),
      path: request?.target === undefined ? undefined : shownPath(request.target),
      source: request?.sourceAddress,
      cause: cause === undefined ? undefined : describe(cause),
    });
  };
}

function shownPath(target: string): string {
  const query = target.indexOf("?");
  const path = target.slice(0, Math.min(MAX_PATH_LENGTH, query === -1 ? target.length : query));
  return path.replace(LONG_WORD, "…");
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
