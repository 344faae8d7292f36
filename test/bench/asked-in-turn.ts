import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { byLabel, readMetrics } from "../support/metrics.ts";
import type { Asked } from "./asked.ts";
import type { KeyFile } from "./key-files.ts";
import { runLoadInTurn } from "./load-in-turn.ts";
import { checkRequest, framed } from "./request.ts";
import type { Server } from "./server.ts";
import { createVerifier, type Stops } from "./verifier.ts";

/** The keys in turn, by what answers their look-ups: the cache or, where that has room for one key only, SQLite. */
export const IN_TURN = { hit: "hit, keys in turn", miss: "miss, keys in turn" } as const;

/** What Keyward is asked, with one known key after the other. Each was presented once, which is what fills a cache. */
export async function askedInTurn(
  name: string,
  server: Server,
  answeredBy: keyof typeof IN_TURN,
  { secrets }: KeyFile,
  folder: string,
  stops: Stops,
): Promise<Asked> {
  const verifier = createVerifier(name, server, stops);
  const requests = secrets.map((secret) => checkRequest(secret));
  for (const request of requests) await verifier.reason(request, "allowed");
  const messages = join(folder, "keys in turn");
  writeFileSync(messages, Buffer.concat(requests.map(framed)));
  const [first = new Uint8Array()] = requests;
  return {
    row: [name, IN_TURN[answeredBy]],
    server,
    load: (amount) => runLoadInTurn({ ...amount, authz: server.authz, messages }),
    verify: () => verifier.reason(first, "allowed"),
    watch: () => watchLookups(name, server, answeredBy),
  };
}

/** So many of the calls must have been answered by what the row says. */
const MIN_SHARE = 0.9;

/** By the server's own metrics: what h2load tells of each answer, the load in turn does not look at. */
async function watchLookups(name: string, { ops }: Server, answeredBy: keyof typeof IN_TURN) {
  const count = async () => {
    const samples = readMetrics(await (await fetch(`http://${ops}/metrics`)).text());
    const lookups = byLabel(samples, "keyward_cache_lookups_total", "result").get(answeredBy) ?? 0;
    return { lookups, allowed: byLabel(samples, "keyward_checks_total", "reason").get("allowed") ?? 0 };
  };
  const before = await count();
  return async (calls: number) => {
    const after = await count();
    const lookups = after.lookups - before.lookups;
    const allowed = after.allowed - before.allowed;
    if (lookups >= MIN_SHARE * calls && allowed >= calls) return;
    throw new Error(`${name}: of ${calls} keys in turn ${allowed} were allowed, and ${lookups} a ${answeredBy}`);
  };
}
