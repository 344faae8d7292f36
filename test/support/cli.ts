import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The program as it stands in the source tree. */
export const KEYWARD_MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** How a command ended. `code` is null where a signal ended it. */
export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where a command runs. */
export interface Surroundings {
  cwd: string;
  /** Added to `cleanEnvironment`. */
  env?: Readonly<Record<string, string>>;
}

/** Runs `keyward …` as a program of its own, to its end, without a terminal. Never rejects for its exit code. */
export async function runCli(args: readonly string[], { cwd, env }: Surroundings): Promise<CliResult> {
  const child = spawn(process.execPath, [KEYWARD_MAIN, ...args], {
    cwd,
    env: { ...cleanEnvironment(cwd), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [number | null];
  return { code, stdout, stderr };
}

/** No settings of whoever runs the tests, and no home folder of theirs where credentials could lie. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home };
}
