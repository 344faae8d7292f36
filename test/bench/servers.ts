import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TRANSPORTS } from "../support/transports.ts";
import { type Asked, askedOfFloor, askedOfKeyward } from "./asked.ts";
import { askedInTurn } from "./asked-in-turn.ts";
import type { KeyFile } from "./key-files.ts";
import type { Size } from "./options.ts";
import { checkRequest } from "./request.ts";
import type { Contestant, Figures } from "./rounds.ts";
import { keywardFolder, startBareServer, startKeywardServer } from "./server.ts";
import { createVerifier, type Stops } from "./verifier.ts";

/** Connections × streams: a server that wakes up for each call, Envoys with something to do, and with as much as can be. */
export const LOADS = {
  alone: { name: "1×1", connections: 1, streams: 1 },
  usual: { name: "2×16", connections: 2, streams: 16 },
  most: { name: "4×64", connections: 4, streams: 64 },
} as const;

/** The servers that only answer, always with the same bytes, by the program in `children`. */
export const FLOORS = { grpc: "grpc-js, bare", http2: "node:http2, bare" } as const;
const FLOOR_PROGRAMS = [
  [FLOORS.grpc, "constant-grpc-js"],
  [FLOORS.http2, "constant-http2"],
] as const;

/** What a Keyward on a transport is called. */
export function keywardOn(transport: (typeof TRANSPORTS)[number]): string {
  return `Keyward, ${transport}`;
}

/** So little that each look-up reads SQLite. */
const TINY_CACHE = ["--cache-max-keys", "1", "--cache-max-unknown", "1"];

/**
 * Starts Keyward on each transport and the bare servers, and returns what is to be measured: one load after the other, so
 * that what is compared lies seconds apart. `stops` ends them.
 */
export async function serverContestants(
  file: KeyFile,
  size: Size,
  folder: string,
  stops: Stops,
): Promise<Contestant[]> {
  const asked: Asked[] = [];
  for (const transport of TRANSPORTS) {
    const name = keywardOn(transport);
    const own = join(folder, transport);
    mkdirSync(own);
    const serve = async (...flags: readonly string[]) => {
      const server = await startKeywardServer(
        keywardFolder(join(own, `cache-${flags.length}`), file),
        ...["--transport", transport, ...flags],
      );
      stops.push(server.stop);
      return server;
    };
    const server = await serve();
    asked.push(...askedOfKeyward(name, server, file, own, stops));
    asked.push(await askedInTurn(name, server, "hit", file, own, stops));
    asked.push(await askedInTurn(name, await serve(...TINY_CACHE), "miss", file, own, stops));
  }
  asked.push(...(await floors(asked, file, folder, stops)));
  return Object.values(LOADS).flatMap((load) => asked.map((one) => contestantOf(one, load, size)));
}

/** The bare servers answer to a hit what Keyward answers. */
async function floors([hit]: readonly Asked[], file: KeyFile, folder: string, stops: Stops): Promise<Asked[]> {
  if (hit === undefined) throw new Error("nothing is asked");
  const request = checkRequest(file.secrets[0] ?? "");
  const answer = await createVerifier("Keyward", hit.server, stops).answer(request);
  const asked: Asked[] = [];
  for (const [name, program] of FLOOR_PROGRAMS) {
    const server = await startBareServer(program, answer);
    stops.push(server.stop);
    asked.push(askedOfFloor(name, server, { request, answer }, folder, stops));
  }
  return asked;
}

function contestantOf(
  asked: Asked,
  { name, connections, streams }: (typeof LOADS)[keyof typeof LOADS],
  size: Size,
): Contestant {
  const { row, server, load, verify, watch } = asked;
  const requests = streams === 1 ? size.callsAlone : size.calls;
  const measure = async (): Promise<Figures> => {
    await verify();
    const judge = await watch?.();
    const before = server.cpuUs();
    // Once more while the load runs: who answers wrongly only then is found out as well.
    const [figures] = await Promise.all([load({ requests, connections, streams }), verify()]);
    const cpuUs = (server.cpuUs() - before) / (requests + 1);
    await judge?.(requests);
    return { ...figures, cpuUs };
  };
  return { part: "servers", row: [...row, name], measure };
}
