import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { startChild } from "../support/child.ts";
import { cleanEnvironment, KEYWARD_MAIN } from "../support/cli.ts";
import { onCore } from "./conditions.ts";
import type { KeyFile } from "./key-files.ts";
import { ROUTES } from "./request.ts";

/** A server that runs as a program of its own, on the servers' core. */
export interface Server {
  readonly pid: number;
  /** `host:port`, or `unix:/path`. */
  readonly authz: string;
  /** Where its metrics are; empty for a bare server. */
  readonly ops: string;
  /** CPU time of all its threads so far, in microseconds. */
  cpuUs(): number;
  stop(): Promise<void>;
}

/** Starts one of the bare servers in `children`, which answers that message to everything. */
export function startBareServer(name: string, answer: Uint8Array): Promise<Server> {
  const file = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url));
  return start(name, [process.execPath, file, Buffer.from(answer).toString("base64")], process.cwd());
}

/** Makes a folder with a copy of the database, and a configuration with the routes of the benchmark. Returns it. */
export function keywardFolder(folder: string, { path }: KeyFile): string {
  mkdirSync(folder);
  copyFileSync(path, join(folder, "keyward.db"));
  writeFileSync(join(folder, "keyward.yaml"), stringify({ routes: ROUTES }));
  return folder;
}

/** Starts Keyward as a program in a folder that holds its database and configuration. */
export function startKeywardServer(folder: string, ...flags: readonly string[]): Promise<Server> {
  const ownPorts = ["authz", "forward-auth", "admin", "ops"].flatMap((name) => [`--listen-${name}`, "127.0.0.1:0"]);
  const place = ["--database", "keyward.db", "--shutdown-delay", "0"];
  return start("Keyward", [process.execPath, KEYWARD_MAIN, "serve", ...place, ...ownPorts, ...flags], folder);
}

async function start(name: string, command: [string, ...string[]], folder: string): Promise<Server> {
  const [program, ...args] = onCore(0, ...command);
  const env = cleanEnvironment(folder);
  const ready = async ({ stderr }: { stderr(): string }) => addressesIn(stderr()) !== undefined;
  const child = await startChild({ name, command: program, args, cwd: folder, env, ready, readyWithinMs: 60_000 });
  const { pid, stop } = child;
  const { authz = "", ops = "" } = addressesIn(child.stderr()) ?? {};
  return { pid, authz, ops, cpuUs: () => cpuUs(pid), stop };
}

/** What the line says that each server writes once it serves. */
function addressesIn(log: string): { authz?: string; ops?: string } | undefined {
  const line = log.split("\n").find((candidate) => candidate.includes('"msg":"serving"'));
  return line === undefined ? undefined : JSON.parse(line);
}

/** The first number of `schedstat` is nanoseconds on a CPU (docs.kernel.org/scheduler/sched-stats.html). */
function cpuUs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1_000;
}
