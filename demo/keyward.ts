import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Child, startChild } from "../test/support/child.ts";
import { freePorts } from "../test/support/ports.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const config = fileURLToPath(new URL("keyward.yaml", import.meta.url));

const run = promisify(execFile);

/** A running Keyward, and the command line to it. */
export interface Keyward extends Pick<Child, "ended" | "stop"> {
  /** Where Envoy asks. */
  authzPort: number;
  database: string;
  /** Runs `keyward …` as a program of its own against this Keyward and returns what it printed, trimmed. */
  cli(...args: string[]): Promise<string>;
}

/**
 * Starts Keyward with `demo/keyward.yaml` on a new database in `folder`, on free ports, and resolves once it is ready.
 * The command line reaches it over the local admin socket beside the database, which is why nobody needs an admin key.
 */
export async function startKeyward(folder: string): Promise<Keyward> {
  const [authzPort = 0, opsPort = 0] = await freePorts(2);
  const database = `${folder}/keyward.db`;
  const surroundings = { cwd: folder, env: withoutSettings(process.env) };
  const authz = ["--listen-authz", `127.0.0.1:${authzPort}`];
  const others = ["--listen-forward-auth", "off", "--listen-admin", "off", "--listen-ops", `127.0.0.1:${opsPort}`];
  const { ended, stop } = await startChild({
    name: "Keyward",
    command: process.execPath,
    args: [main, "serve", "--config", config, "--database", database, ...authz, ...others],
    ...surroundings,
    ready: async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok,
  });
  const cli = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [main, ...args, "--database", database], surroundings);
    return stdout.trim();
  };
  return { authzPort, database, cli, ended, stop };
}

/** The caller's own KEYWARD_ settings could point the demo's commands at a Keyward that is in earnest use. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("KEYWARD_")));
}
