import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSecret } from "../../src/key/secret.ts";
import { CHECK_PATH } from "./children/constant.ts";
import { type Load, type LoadFigures, runH2load } from "./h2load.ts";
import type { KeyFile } from "./key-files.ts";
import { CLOSED_PATH, checkRequest, framed } from "./request.ts";
import type { Server } from "./server.ts";
import { createVerifier, type Stops } from "./verifier.ts";

/** A server, what it is asked, and who finds out whether the answers are right. */
export interface Asked {
  /** The server's name and what it is asked. */
  readonly row: readonly [server: string, asked: string];
  readonly server: Server;
  load(amount: Amount): Promise<LoadFigures>;
  /** Asks once, as another client than the load. Rejects where the answer is another than it should be. */
  verify(): Promise<void>;
  /** Called before the load; what it resolves to is called behind it, and rejects where the load was not what it should. */
  watch?(): Promise<(calls: number) => Promise<void>>;
}

/** How much is asked. */
type Amount = Pick<Load, "requests" | "connections" | "streams">;

/** What Keyward is asked again and again, with the reason that its answer must have. */
const CASES = [
  { asking: "hit", reason: "allowed", requestOf: ({ secrets: [first = ""] }: KeyFile) => checkRequest(first) },
  { asking: "unknown key", reason: "unknown_key", requestOf: () => checkRequest(writeSecret("kw", randomBytes(32))) },
  {
    asking: "malformed key",
    reason: "malformed_credential",
    requestOf: ({ secrets: [first = ""] }: KeyFile) => checkRequest(`${first.slice(0, -1)}!`),
  },
  {
    asking: "denied scope",
    reason: "insufficient_scope",
    requestOf: ({ secrets: [first = ""] }: KeyFile) => checkRequest(first, CLOSED_PATH),
  },
] as const;

/** What Keyward is asked, each case with one message that is always the same. */
export function askedOfKeyward(name: string, server: Server, file: KeyFile, folder: string, stops: Stops): Asked[] {
  const verifier = createVerifier(name, server, stops);
  return CASES.map(({ asking, reason, requestOf }) => {
    const request = requestOf(file);
    const verify = () => verifier.reason(request, reason);
    return { row: [name, asking], server, verify, load: loadOf(server, request, join(folder, `${name}, ${asking}`)) };
  });
}

/** What a bare server is asked, and the bytes that it has to answer with. */
export function askedOfFloor(
  name: string,
  server: Server,
  { request, answer }: { request: Uint8Array; answer: Buffer },
  folder: string,
  stops: Stops,
): Asked {
  const verifier = createVerifier(name, server, stops);
  const verify = () => verifier.bytes(request, answer);
  return { row: [name, "constant"], server, verify, load: loadOf(server, request, join(folder, name)) };
}

/** Has h2load send that message, which it reads from a file. */
function loadOf(server: Server, request: Uint8Array, file: string): Asked["load"] {
  writeFileSync(file, framed(request));
  const options = ["-d", file, "-H", "content-type: application/grpc", "-H", "te: trailers"];
  return (amount) => runH2load({ ...amount, url: `http://${server.authz}${CHECK_PATH}`, options }, join(file, ".."));
}
