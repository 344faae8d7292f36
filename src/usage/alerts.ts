import type { Log } from "../observe/log.ts";
import type { Recorded } from "../store/usage.ts";

/** What is worth a person's attention. The names stand in log lines and metrics, and stay. */
export const ALERTS = ["key_new_network", "key_request_rate", "key_denial_burst", "revoked_key_used"] as const;

export type Alert = (typeof ALERTS)[number];

/** From how many on there is an alert; 0: never. */
export interface AlertBounds {
  /** Allowed requests of one key in one hour of the clock. */
  readonly requestsPerHour: number;
  /** Denied requests that presented one key, in one minute of the clock. */
  readonly denialsPerMinute: number;
}

/** Tells of keys that are used in a way that may be somebody else's. */
export interface Alerts {
  /** Judges what was written down, and returns how many alerts there were of each kind. */
  judge(recorded: readonly Recorded[], nowMs: number): ReadonlyMap<Alert, number>;
  /** Judges by other bounds from now on. What was counted in this hour and minute stays counted. */
  setBounds(bounds: AlertBounds): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** As many lines a second tell what is going on; more would let a client fill the disk. The metric counts every alert. */
const MAX_LINES_PER_SECOND = 10;

/** More keys than this in one hour, or minute, are not judged by their count: memory has to have an end. */
const MAX_KEYS = 100_000;

const SENTENCES: Readonly<Record<Alert, string>> = {
  key_new_network: "a key was used from a network from which it had not been used before",
  key_request_rate: "a key was used more often in this hour than alerts.requests_per_hour",
  key_denial_burst: "a key was refused more often in this minute than alerts.denials_per_minute",
  revoked_key_used: "a revoked key was presented",
};

/** Makes the alerts of one program. Counts begin anew with it, and with each hour and minute of the clock. */
export function createAlerts(bounds: AlertBounds, log: Log): Alerts {
  let { requestsPerHour, denialsPerMinute } = bounds;
  const requests = countsPer(HOUR_MS);
  const denials = countsPer(MINUTE_MS);
  const revoked = countsPer(HOUR_MS);
  const tell = boundedLines(log);
  return {
    judge(recorded, nowMs) {
      const raised = new Map<Alert, number>();
      const raise = (event: Alert, fields: Readonly<Record<string, unknown>>) => {
        raised.set(event, (raised.get(event) ?? 0) + 1);
        tell(event, fields, nowMs);
      };
      for (const { tally, newNetworks } of recorded) {
        const { keyId: key_id, uses, lastUsedIp, lastDeniedIp } = tally;
        for (const { value: network } of newNetworks) raise("key_new_network", { key_id, network });
        if (requests.passes(key_id, uses, requestsPerHour, nowMs)) {
          raise("key_request_rate", { key_id, requests: requests.count(key_id), source: lastUsedIp });
        }
        const denied = [...tally.denials.values()].reduce((sum, count) => sum + count, 0);
        if (denials.passes(key_id, denied, denialsPerMinute, nowMs)) {
          const reasons = Object.fromEntries(tally.denials);
          raise("key_denial_burst", { key_id, denials: denials.count(key_id), reasons, source: lastDeniedIp });
        }
        // Once an hour: whoever has a revoked key in his program goes on for long.
        const ofRevoked = tally.denials.get("key_revoked") ?? 0;
        if (ofRevoked > 0 && revoked.count(key_id, nowMs) === 0) {
          raise("revoked_key_used", { key_id, denials: ofRevoked, source: lastDeniedIp });
        }
        revoked.add(key_id, ofRevoked, nowMs);
      }
      return raised;
    },
    setBounds(bounds) {
      ({ requestsPerHour, denialsPerMinute } = bounds);
    },
  };
}

/** Counts by key within the span of the clock in which one is. */
function countsPer(spanMs: number) {
  const counts = new Map<string, number>();
  let span = 0;
  const turnTo = (nowMs: number) => {
    const now = Math.floor(nowMs / spanMs);
    if (now !== span) counts.clear();
    span = now;
  };
  const counter = {
    count(keyId: string, nowMs?: number): number {
      if (nowMs !== undefined) turnTo(nowMs);
      return counts.get(keyId) ?? 0;
    },
    add(keyId: string, count: number, nowMs: number): void {
      turnTo(nowMs);
      const before = counts.get(keyId);
      if (count > 0 && (before !== undefined || counts.size < MAX_KEYS)) counts.set(keyId, (before ?? 0) + count);
    },
    /** Adds, and tells whether that led past a bound: once in each span. */
    passes(keyId: string, count: number, bound: number, nowMs: number): boolean {
      if (bound === 0 || count === 0) return false;
      const before = counter.count(keyId, nowMs);
      counter.add(keyId, count, nowMs);
      return before <= bound && counter.count(keyId) > bound;
    },
  };
  return counter;
}

function boundedLines(log: Log) {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  return (event: Alert, fields: Readonly<Record<string, unknown>>, nowMs: number) => {
    const now = Math.floor(nowMs / 1000);
    if (now !== second) {
      if (suppressed > 0) log("warn", `${suppressed} more alerts`, { event: "alerts_suppressed", suppressed });
      second = now;
      lines = suppressed = 0;
    }
    if (++lines > MAX_LINES_PER_SECOND) suppressed++;
    else log("warn", SENTENCES[event], { event, ...fields });
  };
}
