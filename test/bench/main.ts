/**
 * `npm run bench`: what a check costs, beside what it cannot cost less than. Starts everything itself; `docs/benchmarks.md`
 * says how to read the tables.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkContestants } from "./checks.ts";
import { conditionsOf, loadAverage } from "./conditions.ts";
import { requireH2load } from "./h2load.ts";
import { writeKeyFile } from "./key-files.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { reachOf } from "./reach.ts";
import { type Contestant, takeTurns } from "./rounds.ts";
import { serverContestants } from "./servers.ts";
import { storeContestants } from "./stores.ts";
import { tablesOf } from "./tables.ts";
import { envoyContestants } from "./through-envoy.ts";
import type { Stops } from "./verifier.ts";

/** Progress goes to stderr, so that stdout holds the figures alone. */
const tell = (what: string) => process.stderr.write(`bench: ${what}\n`);

/** Each child is to end with this process. */
process.setMaxListeners(100);

async function bench({ size, parts, output }: Options): Promise<void> {
  requireH2load();
  const loadBefore = loadAverage();
  const folder = mkdtempSync(join(tmpdir(), "keyward-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      // Behind all that end the children.
      process.once("exit", remove);
      process.exit(1);
    });
  }
  const stops: Stops = [];
  try {
    const files = size.keys.map((keys) => {
      tell(`writes a database of ${keys} keys`);
      return writeKeyFile(folder, keys);
    });
    const ofServers = files.find(({ keys }) => keys === size.serverKeys);
    if (ofServers === undefined) throw new Error(`there is no database of ${size.serverKeys} keys`);
    tell(`starts ${parts.join(", ")}`);
    const contestants: Contestant[] = [];
    if (parts.includes("servers")) contestants.push(...(await serverContestants(ofServers, size, folder, stops)));
    if (parts.includes("check")) contestants.push(...checkContestants(files, size, stops));
    if (parts.includes("store")) contestants.push(...storeContestants(files, folder));
    if (parts.includes("envoy")) contestants.push(...(await envoyContestants(ofServers, size, folder, stops)));
    const measured = await takeTurns(contestants, size, (round) =>
      tell(round > 0 ? `round ${round} of ${size.rounds}` : "warms up"),
    );
    const reaches = reachOf(measured);
    const conditions = conditionsOf(size, loadBefore);
    const all = { conditions, measured, reach: reaches };
    process.stdout.write(
      output === "json" ? `${JSON.stringify(all, null, 2)}\n` : `${tablesOf(measured, reaches, conditions)}\n`,
    );
  } finally {
    for (const stop of stops.toReversed()) await stop();
    remove();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(HELP);
  else await bench(options);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
