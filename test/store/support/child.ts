import { execFile, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A user who owns nothing: for root no file is unreadable. */
export const nobody = 65534;

function scriptPath(script: string): string {
  return fileURLToPath(new URL(`../children/${script}`, import.meta.url));
}

/** Runs a script of ../children to its end. `code` is null where a signal ended it. */
export function runChild(script: string, args: readonly string[], options: { asNobody?: boolean } = {}) {
  const isRoot = process.getuid?.() === 0;
  const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
  const [program = "", ...before] = [...(options.asNobody && isRoot ? asNobody : []), process.execPath];
  const { status, signal, stdout, stderr } = spawnSync(program, [...before, scriptPath(script), ...args], {
    encoding: "utf8",
  });
  return { code: status, signal, stdout: stdout.trim(), stderr };
}

/** Starts a script of ../children beside others. Resolves to what it has written. */
export async function startChild(script: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [scriptPath(script), ...args]);
  return stdout.trim();
}

/** Runs a script of ../children and kills it with SIGKILL once it has written so many lines. Resolves to its lines. */
export async function killChildAfter(lines: number, script: string, args: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, [scriptPath(script), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let written = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    written += chunk;
    if (written.split("\n").length > lines) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.on("close", resolve));
  return written.split("\n").slice(0, -1);
}
