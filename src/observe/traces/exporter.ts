import type { Log } from "../log.ts";
import type { MetricCells } from "../metrics/cells.ts";
import { writeSpans } from "./otlp.ts";
import type { TraceSettings } from "./settings.ts";
import type { CheckSpan } from "./tracer.ts";

/** Sends spans to a collector, for the main thread. */
export interface SpanExporter {
  take(spans: readonly CheckSpan[]): void;
  /** Sends what there is, once. Resolves when it was answered or given up; never rejects. */
  finish(): Promise<void>;
}

/** What a collector answers when it wants the same again (OTLP/HTTP, "Retryable Response Codes"). */
const RETRYABLE = [429, 502, 503, 504];

/** At the end nobody waits for a collector any longer than this. */
const FINISH_TIMEOUT_MS = 2_000;

/**
 * Makes the exporter. What a collector does not take is kept for the next round, as far as the queue has room; what has
 * none is counted. A collector that is down costs spans, one line in the log, and nothing else.
 */
export function createSpanExporter(
  { url, headers, resource, timeoutMs, intervalMs, maxQueue, maxBatch }: TraceSettings,
  version: string,
  cells: MetricCells,
  log: Log,
): SpanExporter {
  const exported = cells.at("keyward_trace_spans_total", { result: "exported" });
  const dropped = cells.at("keyward_trace_spans_total", { result: "dropped" });
  const place = new URL(url).origin;
  let queue: CheckSpan[] = [];
  let sending: Promise<void> | undefined;
  let trouble: string | undefined;
  const ending = new AbortController();

  const post = async (batch: readonly CheckSpan[]): Promise<"taken" | "again" | "refused"> => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: writeSpans(batch, { "service.version": version, ...resource }, version),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ending.signal]),
        redirect: "error",
      });
      await response.body?.cancel();
      tell(response.ok ? undefined : `answered ${response.status}`);
      if (response.ok) return "taken";
      return RETRYABLE.includes(response.status) ? "again" : "refused";
    } catch (error) {
      tell(causeOf(error));
      return "again";
    }
  };
  const tell = (now: string | undefined) => {
    if (now === trouble) return;
    if (now === undefined) log("info", "the trace collector takes spans again", { collector: place });
    else log("warn", `the trace collector takes no spans: ${now}`, { collector: place });
    trouble = now;
  };
  const keep = (spans: readonly CheckSpan[]) => {
    const room = Math.max(0, maxQueue - queue.length);
    queue.push(...spans.slice(0, room));
    if (spans.length > room) dropped.add(spans.length - room);
  };
  const sendAll = async () => {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxBatch);
      queue = queue.slice(maxBatch);
      const result = await post(batch);
      if (result === "taken") exported.add(batch.length);
      else if (result === "refused") dropped.add(batch.length);
      else return keep(batch);
    }
  };
  const send = () => {
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  const timer = setInterval(() => void send(), intervalMs).unref();

  return {
    take(spans) {
      keep(spans);
      // While nobody takes them, the next round is soon enough.
      if (queue.length >= maxBatch && trouble === undefined) void send();
    },
    async finish() {
      clearInterval(timer);
      const deadline = setTimeout(() => ending.abort(), FINISH_TIMEOUT_MS);
      await sending;
      if (!ending.signal.aborted) await send();
      clearTimeout(deadline);
      dropped.add(queue.length);
      queue = [];
    },
  };
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
