import type { MetricCells } from "./metrics/cells.ts";

/** Ten looks a second find most of what stalls for 100 ms, and all that stalls for longer, at no cost worth a number. */
const PULSE_INTERVAL_MS = 100;

/** Measures how late the timers of this thread come, and says that it is alive. `nowMs` counts from 1970. */
export function startPulse(cells: MetricCells): NodeJS.Timeout {
  const delay = cells.histogram("keyward_event_loop_delay_seconds");
  const heartbeat = cells.at("keyward_thread_heartbeat_timestamp_seconds");
  let last = performance.now();
  heartbeat.set(Date.now() / 1000);
  return setInterval(() => {
    const now = performance.now();
    // Timers count whole milliseconds, so one may come a fraction too early.
    delay.observe(Math.max(0, now - last - PULSE_INTERVAL_MS) / 1000);
    last = now;
    heartbeat.set(Date.now() / 1000);
  }, PULSE_INTERVAL_MS).unref();
}
