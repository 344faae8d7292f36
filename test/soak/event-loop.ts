import type { Samples } from "../support/metrics.ts";

const FAMILY = "keyward_event_loop_delay_seconds_bucket";

/**
 * The delays of a thread's event loop between two readings of the metrics: the upper ends, in seconds, of the buckets in
 * which the median, the 99th percentile and the longest one lie.
 */
export function eventLoopDelays(before: Samples, after: Samples, thread: string): [number, number, number] {
  const buckets = [...after.keys()].filter((series) => series.startsWith(`${FAMILY}{thread="${thread}"`));
  const counts = buckets.map((series) => (after.get(series) ?? 0) - (before.get(series) ?? 0));
  const total = counts.at(-1) ?? 0;
  const bound = (share: number) => {
    const series = buckets[counts.findIndex((count) => count >= total * share)] ?? "";
    return Number(/le="([^"]+)"/.exec(series)?.[1]?.replace("+Inf", "Infinity"));
  };
  return [bound(0.5), bound(0.99), bound(1)];
}
