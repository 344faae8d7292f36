import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onCore } from "./conditions.ts";
import type { Load, LoadFigures } from "./h2load.ts";

/** What is asked of a server, one message after the other. */
export interface TurnLoad extends Pick<Load, "requests" | "connections" | "streams"> {
  /** `host:port`. */
  readonly authz: string;
  /** A file with the messages, one behind the other, each with its gRPC prefix. */
  readonly messages: string;
}

const CHILD = fileURLToPath(new URL("children/calls-in-turn.ts", import.meta.url));

/** Far longer than any round takes. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Does what `runH2load` does, with many messages instead of one: h2load knows only one. Its own program, as h2load is, on
 * the core of the load. Throws unless each call was answered with a message.
 */
export async function runLoadInTurn(load: TurnLoad): Promise<LoadFigures> {
  const [program, ...args] = onCore(1, process.execPath, CHILD, JSON.stringify(load));
  const { stdout } = await promisify(execFile)(program, args, { timeout: GIVE_UP_AFTER_MS });
  return JSON.parse(stdout) as LoadFigures;
}
