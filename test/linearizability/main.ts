/**
 * `npm run linearizability -- --seconds 600 --seed 7`: writers change keys while observers check them, in the same process
 * and in another one on the same database, with caches that are too small, threads that die and a process that stands
 * still. All of it is written down and judged: see `judge.ts`. Ends with 1 where a promise was broken.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CAMPAIGN_FLAGS, campaignOf, flagsOf } from "../support/campaign.ts";
import { KEYWARD_MAIN } from "../support/cli.ts";
import { startKeyward } from "../support/keyward.ts";
import { causeAccidents } from "./accidents.ts";
import { Report } from "./report.ts";
import { type Pair, runRound } from "./round.ts";

/** More than there are writers, each of which takes one. */
const SEEDS_PER_ROUND = 100;

/** Characters of the log that tell how a process has ended. */
const TOLD_LOG = 2_000;

/** Rounds, of 5 s each. */
const USUAL_COUNT = 6;

const campaign = campaignOf("linearizability", flagsOf(CAMPAIGN_FLAGS), USUAL_COUNT);

const folder = mkdtempSync(join(tmpdir(), "keyward-"));
const report = new Report();
const pair = await startPair(folder);
try {
  await Promise.race([run(pair), died(pair)]);
} finally {
  await Promise.all([pair.same.stop(), pair.other.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(report.text());
process.exit(report.failed ? 1 : 0);

async function run({ same, other }: Pair): Promise<void> {
  let round = 0;
  const isOver = () => round >= campaign.count || Date.now() >= campaign.untilMs;
  const rounds = async () => {
    for (; !isOver(); round++) {
      report.add(await runRound(`round-${round}`, { same, other }, campaign.seed + round * SEEDS_PER_ROUND));
    }
  };
  const [accidents] = await Promise.all([causeAccidents(same, other, isOver), rounds()]);
  report.accidents = accidents;
  await report.readMetrics({ same, other });
}

/** Threads may die, processes must not. */
async function died({ same, other }: Pair): Promise<never> {
  const how = await Promise.race([same.ended, other.ended]);
  throw new Error(`${how}. Its last lines:\n${[same, other].map(({ log }) => log().slice(-TOLD_LOG)).join("\n")}`);
}

/** Far fewer keys are cached than are looked at, and two threads share the connections of each process. */
async function startPair(folder: string): Promise<Pair> {
  const mortal = new URL("children/mortal.ts", import.meta.url).href;
  const command = [process.execPath, "--import", mortal, KEYWARD_MAIN] as const;
  const flags = ["--check-threads", "2", "--cache-max-keys", "5", "--cache-max-unknown", "2"];
  const same = await startKeyward({ folder, flags, command });
  const other = await startKeyward({ folder, flags: [...flags, "--mode", "authz"], command });
  return { same, other };
}
