import type { CheckContext } from "../../check/context.ts";
import type { Decision } from "../../check/decide.ts";
import { createOutbox, type Outbox } from "../outbox.ts";
import type { Sampling } from "./settings.ts";
import { readTraceParent } from "./traceparent.ts";

/** What a span tells of one check. Never what was presented, nor a path or query of a client. */
export interface CheckSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined where the trace begins here. */
  readonly parentId: string | undefined;
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly decisionId: string;
  readonly allowed: boolean;
  readonly reason: string;
  readonly keyId: string | undefined;
  readonly route: string | undefined;
}

/** The metadata of a call, as far as traces ask for it: the values of a name. */
export interface CallMetadata {
  get(name: string): readonly unknown[];
}

/** Makes spans of the checks of one check thread. A check costs one entry of a list that is bounded. */
export interface Tracer extends Omit<Outbox<CheckSpan>, "put"> {
  /** Tells of a decision before the check that made it is `ended`. */
  decided(decision: Decision): void;
  /** Times are those of `performance.now()`. */
  ended(metadata: CallMetadata, context: CheckContext, startedAt: number, endedAt: number): void;
}

/** How often spans are handed over to the thread that sends them. */
export const SPANS_INTERVAL_MS = 200;

/** So many spans may wait for that: with the interval, more than a check thread answers. About 2 MB. */
const MAX_WAITING = 10_000;

/** Makes the tracer of one check thread. */
export function createTracer(
  { byParent, ratio }: Sampling,
  send: (spans: readonly CheckSpan[]) => void,
  lost: () => void,
): Tracer {
  const { put, ...outbox } = createOutbox(MAX_WAITING, send, lost);
  let decision: Decision | undefined;

  return {
    ...outbox,
    decided: (made) => {
      decision = made;
    },
    ended(metadata, { decisionId }, startedAt, endedAt) {
      const [text, another] = metadata.get("traceparent");
      // Two of them cannot both be the parent.
      const parent = typeof text === "string" && another === undefined ? readTraceParent(text) : undefined;
      const ids = decisionId.replaceAll("-", "");
      const traceId = parent?.traceId ?? ids;
      const isTraced = byParent && parent !== undefined ? parent.sampled : isWithin(ratio, traceId);
      if (!isTraced || decision === undefined) return;
      put({
        traceId,
        // 62 of its bits are random, and it is found in the decision's id.
        spanId: ids.slice(16),
        parentId: parent?.spanId,
        startMs: performance.timeOrigin + startedAt,
        endMs: performance.timeOrigin + endedAt,
        decisionId,
        allowed: decision.allowed,
        reason: decision.reason,
        keyId: decision.record?.id,
        route: decision.rule?.route,
      });
    },
  };
}

/** Every program that is asked about the same trace answers the same: the last 7 bytes of its id are random (W3C, level 2). */
function isWithin(ratio: number, traceId: string): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-14), 16) / 2 ** 56 < ratio;
}
