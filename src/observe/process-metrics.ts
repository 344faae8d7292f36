import { readdirSync, readFileSync } from "node:fs";
import type { MetricCells } from "./metrics/cells.ts";

/** Makes what tells of the process as a whole, each time that somebody looks. Of main: one thread is enough. */
export function createProcessMetrics(cells: MetricCells): () => void {
  const cpu = cells.at("process_cpu_seconds_total");
  const memory = cells.at("process_resident_memory_bytes");
  const openFiles = cells.at("process_open_fds");
  cells.at("process_start_time_seconds").set(Math.floor(Date.now() / 1000 - process.uptime()));
  cells.at("process_max_fds").set(maxFiles());
  return () => {
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
    memory.set(process.memoryUsage.rss());
    openFiles.set(countFiles());
  };
}

function countFiles(): number {
  try {
    // One of them is the folder itself, open to be read.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return Number.NaN;
  }
}

function maxFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
  } catch {
    return Number.NaN;
  }
}
