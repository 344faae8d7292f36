import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** What to run, and how to tell that it is ready. Times are milliseconds. */
export interface ChildOptions {
  /** What messages call it: `Envoy`. */
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Asked again and again, with what it has written, until it says true; a throw means "not yet". */
  ready: (written: Pick<Child, "stdout" | "stderr">) => Promise<boolean>;
  readyWithinMs?: number;
}

/** A program that runs beside this one. */
export interface Child {
  pid: number;
  /** What it has written so far: the last 256 KiB of each stream. */
  stdout(): string;
  stderr(): string;
  /** Resolves, with a sentence that says how, when the program has ended. Never rejects. */
  ended: Promise<string>;
  /** Ends the program (SIGTERM, SIGKILL after 5 s) and resolves when it is gone. Harmless when it is gone already. */
  stop(): Promise<void>;
}

const PROBE_EVERY_MS = 25;
const STOP_WITHIN_MS = 5_000;
/** Enough to find the cause of a failure; a demo that stays up all day does not grow. */
const MAX_KEPT_CHARS = 256 * 1024;
const QUOTED_LINES = 15;

/**
 * Starts a program and resolves once it is ready. If it ends first, or is not ready in time (20 s unless said
 * otherwise), it is gone and the error quotes the last lines it wrote. It is ended by its own process id, and dies with
 * this process however that exits.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, cwd, env, ready, readyWithinMs = 20_000 } = options;
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);

  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(-MAX_KEPT_CHARS);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_KEPT_CHARS);
  });

  let how: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const end = (reason: string) => {
      process.off("exit", kill);
      how ??= `${name} ended (${reason})`;
      resolve(how);
    };
    child.once("error", (error) => end(error.message));
    child.once("close", (code, signal) => end(signal ?? `exit code ${code}`));
  });

  const stop = async () => {
    if (how !== undefined) return;
    child.kill("SIGTERM");
    const timer = setTimeout(kill, STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  };

  const written = { stdout: () => stdout, stderr: () => stderr };
  const deadline = Date.now() + readyWithinMs;
  while (!(await ready(written).catch(() => false))) {
    if (how === undefined && Date.now() > deadline) {
      await stop();
      how = `${name} was not ready within ${readyWithinMs} ms`;
    }
    if (how !== undefined) throw new Error(`${how}. Its last lines:\n${lastLines(stderr || stdout)}`);
    await Promise.race([ended, delay(PROBE_EVERY_MS)]);
  }
  return { pid: child.pid ?? 0, ...written, ended, stop };
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-QUOTED_LINES).join("\n");
}
