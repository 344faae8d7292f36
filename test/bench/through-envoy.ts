import { join } from "node:path";
import { startEnvoy } from "../support/envoy.ts";
import { envoyConfig, LISTENERS } from "./envoy-config.ts";
import { runH2load } from "./h2load.ts";
import type { KeyFile } from "./key-files.ts";
import type { Size } from "./options.ts";
import { OPEN_PATH } from "./request.ts";
import type { Contestant } from "./rounds.ts";
import { keywardFolder, startKeywardServer } from "./server.ts";

/** So low that no request waits for another: what is measured is the way of one. */
const REQUESTS_PER_SECOND = 200;

/** Starts an Envoy with Keyward behind it on TCP and on a Unix socket, and returns what is to be measured. */
export async function envoyContestants(
  file: KeyFile,
  size: Size,
  folder: string,
  stops: (() => Promise<void> | void)[],
): Promise<Contestant[]> {
  const tcp = await startKeywardServer(keywardFolder(join(folder, "tcp"), file));
  stops.push(tcp.stop);
  const socket = join(folder, "authz.sock");
  const unix = await startKeywardServer(keywardFolder(join(folder, "unix"), file), "--listen-authz", `unix:${socket}`);
  stops.push(unix.stop);
  const config = envoyConfig(Number(tcp.authz.split(":")[1]), socket);
  const envoy = await startEnvoy({ config });
  stops.push(envoy.stop);

  const [secret = ""] = file.secrets;
  return LISTENERS.map((name) => {
    const url = `http://127.0.0.1:${envoy.port(name)}${OPEN_PATH}`;
    const options = ["--h1", `--rps=${REQUESTS_PER_SECOND}`, "-H", `authorization: Bearer ${secret}`];
    const load = { url, requests: size.requests, connections: 1, streams: 1, options };
    const answered = async (authorization: string) => {
      const { status } = await fetch(url, { headers: { authorization } });
      return status;
    };
    const measure = async () => {
      const refused = name === "no filter" ? 200 : 401;
      const statuses = [await answered(`Bearer ${secret}`), await answered(`Bearer ${secret.slice(0, -1)}!`)];
      if (statuses.join() !== [200, refused].join()) throw new Error(`Envoy, ${name}, answered ${statuses}`);
      const { p50Us, p99Us } = await runH2load(load, folder);
      return { p50Us, p99Us };
    };
    return { part: "envoy", row: [name], measure };
  });
}
