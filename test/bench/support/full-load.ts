import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { AUTHORIZATION } from "../../support/check-client.ts";
import { checkRequest, framed } from "../request.ts";
import type { Served } from "./served.ts";

/** Four proxies' workers, each with 64 requests under way: as much as one check thread can do, and more. */
const CONNECTIONS = 4;
const STREAMS = 64;

/** Bytes that a Keyward held, in order: before, at the end of a minute of load, and after another one without any. */
export interface LoadedMemory {
  readonly before: number;
  readonly atEnd: number;
  readonly after: number;
  readonly calls: number;
}

/** Presents one secret for so many seconds, as fast as it is answered. Throws where a call failed. */
export async function underFullLoad(
  served: Served,
  secret: string,
  seconds: number,
  folder: string,
): Promise<LoadedMemory> {
  const body = join(folder, "request");
  writeFileSync(body, framed(checkRequest(secret)));
  const before = served.memory();
  let atEnd = before;
  const watch = setInterval(() => {
    atEnd = served.memory();
  }, 1_000);
  const { stdout } = await promisify(execFile)("h2load", [
    ...["-D", String(seconds), "-c", String(CONNECTIONS), "-m", String(STREAMS), "-d", body],
    ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
    `http://${served.authz}/${AUTHORIZATION}/Check`,
  ]);
  clearInterval(watch);
  rmSync(body);
  const calls = Number(/(\d+) succeeded/.exec(stdout)?.[1]);
  if (!(calls > 0) || !/ 0 failed, 0 errored/.test(stdout)) throw new Error(`calls have failed:\n${stdout}`);
  await delay(seconds * 1_000);
  return { before, atEnd, after: served.memory(), calls };
}
