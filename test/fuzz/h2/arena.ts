import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startChild } from "../../support/child.ts";
import { until } from "../../support/until.ts";
import type { Facts } from "./children/served.ts";
import type { Said } from "./connections.ts";
import { startGoodClient } from "./good-client.ts";

/** Two servers in a program of their own, and a client that does everything right. */
export interface Arena {
  /** Opens connections at the same time, and throws where they do any harm. */
  play(all: readonly Said[]): Promise<void>;
  /** What was done so far, and the memory that is left once the garbage is gone. */
  told(): Promise<Facts & { readonly goodCalls: number }>;
  stop(): Promise<void>;
}

/** A minute of it comes to 240 MB and stays there: V8 keeps a good part of what it has had. */
const MAX_RESIDENT_BYTES = 384 * 1024 * 1024;

/** For how long somebody does not listen. */
const DEAF_MS = 15;

/** For how long a program that ends takes to do so, after its connections have gone. */
const DYING_MS = 1_000;

/** Starts it. Must be stopped whatever comes of it. */
export async function openArena(): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), "keyward-fuzz-"));
  const ask = async (request = ""): Promise<Facts> => {
    return JSON.parse(await text(connect({ path: join(folder, "facts.sock"), allowHalfOpen: true }).end(request)));
  };
  const server = await startChild({
    name: "the server",
    command: process.execPath,
    args: ["--expose-gc", fileURLToPath(new URL("children/served.ts", import.meta.url)), folder],
    ready: async () => (await ask()).connections.length === 2,
  });
  const died = server.ended.then((how) => Promise.reject(new Error(`${how}\n${server.stderr()}`)));
  died.catch(() => {});
  const good = startGoodClient(join(folder, "patient.sock"));
  // Where the program has died, that is why.
  const failed = good.failed.catch(async (error) => {
    await Promise.race([died, delay(DYING_MS)]);
    throw error;
  });
  failed.catch(() => {});
  const say = async (said: Said) => sayOn(join(folder, said.toImpatient ? "impatient.sock" : "patient.sock"), said);
  const playAll = async (all: readonly Said[]) => {
    await Promise.all(all.map(say));
    await until("every connection but that of the good client is gone, and what was held for it", async () => {
      const { connections, heldBytes } = await ask();
      return [...connections, ...heldBytes].join() === "1,0,0,0";
    });
    const { errors, residentBytes } = await ask();
    if (errors.length > 0) throw new Error(`an internal error: ${errors[0]}`);
    if (residentBytes > MAX_RESIDENT_BYTES) throw new Error(`${residentBytes} bytes of memory are too much`);
  };
  return {
    play: (all) => Promise.race([playAll(all), died, failed]),
    told: async () => ({ ...(await ask("without garbage")), goodCalls: good.calls }),
    async stop() {
      good.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Says it, leaves, and resolves when the connection is closed, by whichever side. */
async function sayOn(path: string, { bytes, cuts, ending, toImpatient }: Said): Promise<void> {
  const socket = connect(path).on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  if (ending === "be deaf") socket.pause();
  else socket.resume();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // One by one they would be put together again on their way.
    if (cut > from) await new Promise((resolve) => socket.write(bytes.subarray(from, cut), resolve));
    from = cut;
  }
  if (ending === "be deaf") await delay(DEAF_MS);
  socket.resume();
  // The patient server would wait for longer than anybody who looks on.
  if (ending === "tear") socket.destroy();
  else if (ending !== "stay" || !toImpatient) socket.end();
  await closed;
}
