import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { COMPILE_CACHE } from "./compile-cache.ts";
import { refuseSecrets } from "./secrets.ts";

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
  /** What it finds on stdin. Left out: nothing. */
  input?: string;
}

/** The commands that show a secret, once. */
const SHOWING = ["create", "rotate"];

/** Runs `keyward …` as a program of its own, to its end, without a terminal. Never rejects for its exit code. */
export async function runCli(args: readonly string[], { cwd, env, input }: Surroundings): Promise<CliResult> {
  const child = spawn(process.execPath, [KEYWARD_MAIN, ...args], {
    cwd,
    env: { ...cleanEnvironment(cwd), ...env },
    stdio: "pipe",
  });
  // One that does not read to the end closes its side.
  child.stdin.on("error", () => {}).end(input);
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [number | null];
  refuseSecrets("stderr", stderr);
  if (!args.some((word) => SHOWING.includes(word))) refuseSecrets("stdout", stdout);
  return { code, stdout, stderr };
}

/** No settings of whoever runs the tests, and no home folder of theirs where credentials could lie. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  return { ...COMPILE_CACHE, PATH: process.env.PATH, HOME: home };
}
