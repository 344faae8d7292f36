import { setTimeout as delay } from "node:timers/promises";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import type { Focus } from "./focus.ts";
import type { Place } from "./history.ts";

/** Where one watches from, and until when. */
export interface Post {
  readonly place: Place;
  readonly name: string;
  /** The data plane. */
  readonly address: string;
  readonly focus: Focus;
  /** The longest rest between two checks, in milliseconds. */
  readonly restMs: number;
  readonly stopped: () => boolean;
}

/** What one observer has met. */
export interface Watch {
  checks: number;
  /** Checks without an answer, as where their thread died. */
  lost: number;
  /** Checks that were answered with the store not being there, which tells nothing of a key. */
  unavailable: number;
}

/** After a lost connection: as long as a client of manners would wait at the least. */
const RECONNECT_MS = 10;

/** Checks keys one after another over one connection, and writes down what it sees. After each loss it is another observer. */
export async function observe({ place, name, address, focus, restMs, stopped }: Post): Promise<Watch> {
  const watch: Watch = { checks: 0, lost: 0, unavailable: 0 };
  let client = createCheckClient(address);
  while (!stopped()) {
    if (restMs > 0) await delay(Math.random() * restMs);
    const key = restMs > 0 ? focus.any(Math.random()) : focus.next(name, Math.random());
    if (key === undefined) {
      await delay(1);
      continue;
    }
    const begunMs = performance.now();
    try {
      const answer = await ask(client, key.secret);
      const endedMs = performance.now();
      watch.checks++;
      if (answer === "store_unavailable") watch.unavailable++;
      else key.history.readings.push({ observer: `${name}.${watch.lost}`, place, begunMs, endedMs, answer });
    } catch {
      watch.lost++;
      client.close();
      await delay(RECONNECT_MS);
      client = createCheckClient(address);
    }
  }
  client.close();
  return watch;
}

/** What Envoy would go by: the code, and only then the reason. An allow names the scopes, by which states are told apart. */
async function ask(client: CheckClient, secret: string): Promise<string> {
  const { code, reason, metadata } = await client.present(secret);
  return code === 0 ? `allowed ${(metadata.scopes as readonly string[] | undefined)?.join(" ")}` : reason;
}
