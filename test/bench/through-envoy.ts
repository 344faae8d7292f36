import { join } from "node:path";
import { startEnvoy } from "../support/envoy.ts";
import { envoyConfig, NO_FILTER } from "./envoy-config.ts";
import { type Load, runH2load } from "./h2load.ts";
import type { KeyFile } from "./key-files.ts";
import type { Size } from "./options.ts";
import { checkRequest, OPEN_PATH } from "./request.ts";
import type { Contestant } from "./rounds.ts";
import { keywardFolder, startBareServer, startKeywardServer } from "./server.ts";
import { FLOORS, keywardOn } from "./servers.ts";
import { createVerifier, type Stops } from "./verifier.ts";

/** So low that no request waits for another: what is measured is the way of one. */
const REQUESTS_PER_SECOND = 400;

/** The rows that are compared. */
export const OVER_TCP = { h2: `${keywardOn("h2")}, TCP`, grpc: `${keywardOn("grpc-js")}, TCP` } as const;
const OVER_UNIX = `${keywardOn("h2")}, Unix socket`;
const BARE = `${FLOORS.grpc}, TCP`;

/** Starts an Envoy with Keyward and a bare server behind it, and returns what is to be measured. */
export async function envoyContestants(file: KeyFile, size: Size, folder: string, stops: Stops): Promise<Contestant[]> {
  const serve = async (name: string, ...flags: readonly string[]) => {
    const server = await startKeywardServer(keywardFolder(join(folder, name), file), ...flags);
    stops.push(server.stop);
    return server;
  };
  const tcp = await serve(OVER_TCP.h2);
  const unix = await serve(OVER_UNIX, "--listen-authz", `unix:${join(folder, "authz.sock")}`);
  const grpc = await serve(OVER_TCP.grpc, "--transport", "grpc-js");
  const [secret = ""] = file.secrets;
  const answer = await createVerifier(OVER_TCP.h2, tcp, stops).answer(checkRequest(secret));
  const bare = await startBareServer("constant-grpc-js", answer);
  stops.push(bare.stop);

  const servers = [
    [OVER_TCP.h2, tcp],
    [OVER_UNIX, unix],
    [OVER_TCP.grpc, grpc],
    [BARE, bare],
  ] as const;
  const config = envoyConfig(servers.map(([listener, { authz }]) => ({ listener, authz })));
  const envoy = await startEnvoy({ config });
  stops.push(envoy.stop);
  const contestants: Contestant[] = [];
  for (const name of [NO_FILTER, ...servers.map(([name]) => name)]) {
    const url = `http://127.0.0.1:${envoy.port(name)}${OPEN_PATH}`;
    const load = { url, connections: 1, streams: 1, options: ["--h1", "-H", `authorization: Bearer ${secret}`] };
    // As fast as it goes: at the rate of the rounds, the compilers of the servers would not be done for long.
    await runH2load({ ...load, requests: size.callsAlone }, folder);
    contestants.push(contestantOf(name, load, secret, size, folder));
  }
  return contestants;
}

/** The listeners that let everything through. */
const OPEN: readonly string[] = [NO_FILTER, BARE];

function contestantOf(
  name: string,
  load: Omit<Load, "requests">,
  secret: string,
  size: Size,
  folder: string,
): Contestant {
  const { url, options = [] } = load;
  const verify = async (presented: string, expected: number) => {
    const { status } = await fetch(url, { headers: { authorization: `Bearer ${presented}` } });
    if (status !== expected) throw new Error(`Envoy, ${name}, answered ${status} instead of ${expected}`);
  };
  const slowly = { ...load, requests: size.requests, options: [...options, `--rps=${REQUESTS_PER_SECOND}`] };
  const measure = async () => {
    await verify(secret, 200);
    await verify(`${secret.slice(0, -1)}!`, OPEN.includes(name) ? 200 : 401);
    const { p50Us, p99Us } = await runH2load(slowly, folder);
    return { p50Us, p99Us };
  };
  return { part: "envoy", row: [name], measure };
}
