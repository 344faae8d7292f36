import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Child, startChild } from "./child.ts";
import { type CliResult, cleanEnvironment, KEYWARD_MAIN, runCli } from "./cli.ts";
import { refuseSecrets, refuseSecretsInDatabase } from "./secrets.ts";
import { TRANSPORT } from "./transports.ts";

/** What is different from a plain `keyward serve`. */
export interface KeywardOptions {
  /** The text of `keyward.yaml`. */
  config?: string;
  /** More flags of `serve`; they win over those that give it free ports. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Where it keeps its files, such as the folder of one that was killed; stays. Left out: a new one, gone after `stop`. */
  folder?: string;
  /** What is run instead of the source tree: a program and its first arguments. */
  command?: readonly [string, ...string[]];
}

/** A running Keyward. Addresses are `host:port`, and empty where a listener is off. */
export interface Keyward extends Pick<Child, "pid" | "ended"> {
  authz: string;
  forwardAuth: string;
  admin: string;
  ops: string;
  /** The path of the local admin socket. */
  adminSocket: string;
  database: string;
  folder: string;
  /** Runs `keyward …` against this one, over its local admin socket unless flags say otherwise. */
  cli(...args: string[]): Promise<CliResult>;
  /** What it has written to stderr: JSON lines. */
  log(): string;
  /** What it has written to stdout. */
  stdout(): string;
  /** Ends it in good order and removes the folder that was made for it. Harmless after `kill`. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL; its files stay. */
  kill(): Promise<void>;
}

/**
 * Starts `keyward serve` as a program of its own, in a folder of its own and on ports that the system chose, and
 * resolves once it serves.
 */
export async function startKeyward(options: KeywardOptions = {}): Promise<Keyward> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "keyward-"));
  const removeFolder = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  if (options.config !== undefined) writeFileSync(join(folder, "keyward.yaml"), options.config);
  const [command, ...before] = options.command ?? [process.execPath, KEYWARD_MAIN];
  const ownPorts = ["authz", "forward-auth", "admin", "ops"].flatMap((name) => [`--listen-${name}`, "127.0.0.1:0"]);
  const place = ["--database", join(folder, "keyward.db"), "--transport", TRANSPORT];
  const child = await startChild({
    name: "Keyward",
    command,
    args: [...before, "serve", ...place, ...ownPorts, "--shutdown-delay", "0", ...(options.flags ?? [])],
    cwd: folder,
    env: { ...cleanEnvironment(folder), ...options.env },
    ready: async ({ stderr }) => servingLine(stderr()) !== undefined,
  }).catch((error) => {
    removeFolder();
    throw error;
  });
  const serving = servingLine(child.stderr()) ?? {};
  const database = resolve(folder, serving.database ?? "");
  /** Called once it has ended, with the last of its metrics. The key of --single-key is told on purpose. */
  const search = (metrics: string) => {
    refuseSecrets("the log", child.stderr());
    refuseSecrets("the metrics", metrics);
    if (serving.single_key === undefined) refuseSecrets("stdout", child.stdout());
    if (serving.database !== undefined) refuseSecretsInDatabase(database);
  };
  const metrics = async () => {
    const answer = await fetch(`http://${serving.ops}/metrics`).catch(() => undefined);
    return (await answer?.text().catch(() => "")) ?? "";
  };
  return {
    pid: child.pid,
    ended: child.ended,
    authz: serving.authz ?? "",
    forwardAuth: serving.forward_auth ?? "",
    admin: serving.admin ?? "",
    ops: serving.ops ?? "",
    adminSocket: resolve(folder, (serving.admin_local ?? "").slice("unix:".length)),
    database,
    folder,
    cli: (...args) => runCli(args, { cwd: folder, env: { KEYWARD_DATABASE: database } }),
    log: child.stderr,
    stdout: child.stdout,
    async stop() {
      const last = await metrics();
      await child.stop();
      search(last);
      removeFolder();
    },
    async kill() {
      process.kill(child.pid, "SIGKILL");
      await child.ended;
      search("");
    },
  };
}

function servingLine(log: string): Partial<Record<string, string>> | undefined {
  const line = log.split("\n").find((candidate) => candidate.includes('"msg":"serving"'));
  return line === undefined ? undefined : JSON.parse(line);
}
