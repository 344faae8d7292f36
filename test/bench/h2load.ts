import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { onCore, programOnPath } from "./conditions.ts";
import { percentile } from "./spread.ts";

/** What h2load is to do. */
export interface Load {
  readonly url: string;
  readonly requests: number;
  readonly connections: number;
  /** At once on each connection. */
  readonly streams: number;
  /** Further options. */
  readonly options?: readonly string[];
}

/** What it measured. */
export interface LoadFigures {
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** Throws, naming the package, where there is no h2load. */
export function requireH2load(): void {
  if (programOnPath("h2load") === undefined) {
    throw new Error("h2load is needed for the load and is not on PATH: install nghttp2-client (Debian, Ubuntu).");
  }
}

/** Far longer than any round takes. */
const GIVE_UP_AFTER_MS = 60_000;

/** Runs h2load on the core of the load. Throws unless each request was answered with a status of 2xx. */
export async function runH2load(load: Load, folder: string): Promise<LoadFigures> {
  const { url, requests, connections, streams, options = [] } = load;
  const log = join(folder, "h2load.log");
  rmSync(log, { force: true });
  const size = ["-n", String(requests), "-c", String(connections), "-m", String(streams)];
  const [program, ...args] = onCore(1, "h2load", ...size, `--log-file=${log}`, ...options, url);
  const { stdout } = await promisify(execFile)(program, args, { timeout: GIVE_UP_AFTER_MS });
  const succeeded = Number(/(\d+) succeeded/.exec(stdout)?.[1]);
  const good = Number(/status codes: (\d+) 2xx/.exec(stdout)?.[1]);
  if (succeeded !== requests || good !== requests) throw new Error(`h2load was not answered as it should:\n${stdout}`);
  const callsPerSecond = Number(/finished in .*, ([\d.]+) req\/s/.exec(stdout)?.[1]);
  // Lines of start, status and duration in microseconds, separated by tabs.
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const durations = lines.map((line) => Number(line.split("\t")[2])).sort((one, other) => one - other);
  return {
    callsPerSecond,
    p50Us: percentile(durations, 0.5),
    p99Us: percentile(durations, 0.99),
    p999Us: percentile(durations, 0.999),
  };
}
