import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { startChild } from "../../support/child.ts";
import { cleanEnvironment } from "../../support/cli.ts";

/** A Keyward whose memory is watched. */
export interface Served {
  authz: string;
  admin: string;
  /** Milliseconds from the start of the program to its line "serving". */
  readyMs: number;
  /** Milliseconds of processor time that it had taken then: the same on a machine that is busy with other things. */
  readyCpuMs: number;
  /** Bytes that it holds in memory now. */
  memory(): number;
  /** The most that it has held. */
  mostMemory(): number;
  stop(): Promise<void>;
}

/** Starts an installed Keyward on free ports. */
export async function serveMeasured(launcher: string, database: string, flags: readonly string[]): Promise<Served> {
  const ports = ["authz", "forward-auth", "admin", "ops"].flatMap((name) => [`--listen-${name}`, "127.0.0.1:0"]);
  const startedMs = Date.now();
  const child = await startChild({
    name: "Keyward",
    command: process.execPath,
    args: [launcher, "serve", "--database", database, ...ports, "--shutdown-delay", "0", ...flags],
    cwd: dirname(database),
    env: cleanEnvironment(dirname(database)),
    ready: async ({ stderr }) => stderr().includes('"msg":"serving"'),
  });
  const line = child
    .stderr()
    .split("\n")
    .find((text) => text.includes('"msg":"serving"'));
  const { authz, admin, time } = JSON.parse(line ?? "{}");
  const readyCpuMs = cpuMs(child.pid);
  const status = (field: string) => {
    const text = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024;
  };
  return {
    authz,
    admin,
    readyMs: Date.parse(time) - startedMs,
    readyCpuMs,
    memory: () => status("VmRSS"),
    mostMemory: () => status("VmHWM"),
    stop: child.stop,
  };
}

/** The kernel counts in ticks of a hundredth of a second; the program's name, in parentheses, may hold spaces. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
