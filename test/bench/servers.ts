import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSecret } from "../../src/key/secret.ts";
import { createCheckClient } from "../support/check-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { CHECK_PATH } from "./children/constant.ts";
import { runH2load } from "./h2load.ts";
import type { KeyFile } from "./key-files.ts";
import type { Size } from "./options.ts";
import { CLOSED_PATH, checkRequest } from "./request.ts";
import type { Contestant, Figures } from "./rounds.ts";
import { keywardFolder, type Server, startBareServer, startKeywardServer } from "./server.ts";

/** Connections × streams, as Envoys of one worker with little to do, and of several with much. */
const SHAPES = [
  { name: "1×1", connections: 1, streams: 1 },
  { name: "2×16", connections: 2, streams: 16 },
  { name: "4×64", connections: 4, streams: 64 },
] as const;

/** The servers that only answer, with the same bytes, and the load in which everything is compared with them. */
export const FLOORS = ["grpc-js, bare", "node:http2, bare"] as const;
export const USUAL_SHAPE = "2×16";

/** What is asked of Keyward, with the reason that its answer must have. */
const CASES = [
  { name: "hit", reason: "allowed", request: (file: KeyFile) => checkRequest(file.secrets[0] ?? "") },
  { name: "unknown key", reason: "unknown_key", request: () => checkRequest(writeSecret("kw", randomBytes(32))) },
  {
    name: "malformed key",
    reason: "malformed_credential",
    request: (file: KeyFile) => checkRequest(`${file.secrets[0]?.slice(0, -1)}!`),
  },
  {
    name: "denied scope",
    reason: "insufficient_scope",
    request: (file: KeyFile) => checkRequest(file.secrets[0] ?? "", CLOSED_PATH),
  },
] as const;

/** A server, what it is asked, and who finds out whether the answer is right. */
interface Asked {
  readonly row: readonly string[];
  readonly server: Server;
  readonly request: Uint8Array;
  /** Rejects where the answer is another than it should be. */
  verify(): Promise<void>;
}

/** Starts Keyward on each transport and the bare servers, and returns what is to be measured. `stops` ends them. */
export async function serverContestants(
  file: KeyFile,
  size: Size,
  folder: string,
  stops: (() => Promise<void> | void)[],
): Promise<Contestant[]> {
  const asked: Asked[] = [];
  for (const transport of TRANSPORTS) {
    const server = await startKeywardServer(keywardFolder(join(folder, transport), file), "--transport", transport);
    stops.push(server.stop);
    asked.push(...askedOfKeyward(`Keyward, ${transport}`, server, file, stops));
  }
  const [hit] = asked;
  if (hit === undefined) throw new Error("nothing is asked");
  const client = createCheckClient(hit.server.authz);
  const answer = await client.call(CHECK_PATH, hit.request);
  client.close();
  for (const [index, child] of ["constant-grpc-js", "constant-http2"].entries()) {
    const server = await startBareServer(child, answer);
    stops.push(server.stop);
    asked.push(askedOfFloor(FLOORS[index] ?? child, server, hit.request, answer, stops));
  }
  return asked.flatMap((one) => SHAPES.map((shape) => contestantOf(one, shape, size, folder)));
}

function askedOfKeyward(name: string, server: Server, file: KeyFile, stops: (() => void)[]): Asked[] {
  const client = createCheckClient(server.authz);
  stops.push(client.close);
  return CASES.map(({ name: asking, reason, request: requestOf }) => {
    const request = requestOf(file);
    const verify = async () => {
      const verdict = await client.checkBytes(request);
      const isRight = verdict.reason === reason && (verdict.code === 0) === (reason === "allowed");
      if (!isRight) throw new Error(`${name} answered ${asking} with ${verdict.code} ${verdict.reason}`);
    };
    return { row: [name, asking], server, request, verify };
  });
}

function askedOfFloor(name: string, server: Server, request: Uint8Array, answer: Buffer, stops: (() => void)[]): Asked {
  const client = createCheckClient(server.authz);
  stops.push(client.close);
  const verify = async () => {
    if (!(await client.call(CHECK_PATH, request)).equals(answer)) throw new Error(`${name} answered something else`);
  };
  return { row: [name, "constant"], server, request, verify };
}

function contestantOf(
  { row, server, request, verify }: Asked,
  { name, connections, streams }: (typeof SHAPES)[number],
  size: Size,
  folder: string,
): Contestant {
  const body = join(folder, `${row.join("-").replaceAll(/[^a-z0-9]+/gi, "-")}.grpc`);
  writeFileSync(body, framed(request));
  const options = ["-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers"];
  const requests = streams === 1 ? size.callsAlone : size.calls;
  const load = { url: `http://${server.authz}${CHECK_PATH}`, requests, connections, streams, options };
  const measure = async (): Promise<Figures> => {
    await verify();
    const before = server.cpuUs();
    // Once more while the load runs: who answers wrongly only then is found out as well.
    const [figures] = await Promise.all([runH2load(load, folder), verify()]);
    return { ...figures, cpuUs: (server.cpuUs() - before) / (requests + 1) };
  };
  return { part: "servers", row: [...row, name], measure };
}

/** A message of gRPC: one byte for "not compressed", its length, itself. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
