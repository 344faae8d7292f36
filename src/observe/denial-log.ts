import type { CheckContext } from "../check/context.ts";
import type { Decision } from "../check/decide.ts";
import type { ObservedRequest } from "../check/ports.ts";
import { INVALID_KEYS_SPAN_MS, SINGLE_LINES } from "./invalid-keys.ts";
import type { Log } from "./log.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** As many lines a second tell what is going wrong; more would let a client fill the disk. */
const MAX_LINES_PER_SECOND = 10;

/** Longer methods, hosts and paths tell no more to a person. */
const MAX_LENGTH = 200;

/** Tells of denials, a bounded number of lines a second, and of how many it kept to itself. */
export type DenialLog = (
  decision: Decision,
  request: ObservedRequest | undefined,
  context: CheckContext,
  cause?: unknown,
) => void;

/**
 * Makes the denial log of one check thread. Faults of ours are warnings with their cause; what clients do wrong is
 * information. A line names decision, reason, key, route, method and path, and never what was presented. Of invalid keys
 * the first few have a line each; the rest is told by `createInvalidKeys`, and takes no line from other denials.
 */
export function createDenialLog(log: Log): DenialLog {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  let span = 0;
  let invalidKeys = 0;
  return (decision, request, { nowMs, decisionId }, cause) => {
    if (decision.allowed) return;
    if (decision.reason === "unknown_key" || decision.reason === "malformed_credential") {
      const nowSpan = Math.floor(nowMs / INVALID_KEYS_SPAN_MS);
      if (nowSpan !== span) invalidKeys = 0;
      span = nowSpan;
      if (++invalidKeys > SINGLE_LINES) return;
    }
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

function shown(text: string): string {
  return withoutSecrets(text, MAX_LENGTH);
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
