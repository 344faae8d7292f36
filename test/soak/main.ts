/**
 * `npm run soak -- --seconds 600`: checks at half of what this machine can do, and a change of a key for every hundred of
 * them. Ends with 1 where a check had another answer than it must, memory or descriptors grew, or the numbers of uses do
 * not agree in the end.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CAMPAIGN_FLAGS, flagsOf } from "../support/campaign.ts";
import { startKeyward } from "../support/keyward.ts";
import { byLabel, readMetrics, type Samples } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { openCheckCaller } from "./check-caller.ts";
import { eventLoopDelays } from "./event-loop.ts";
import { growthOf, type Reading } from "./growth.ts";
import { SoakKeys } from "./keys.ts";
import { Load } from "./load.ts";

const USUAL_SECONDS = 600;
/** Long enough that the code is compiled; it warms the program up as well. */
const CAPACITY_SECONDS = 5;
/** More keys than are cached, so that some are read from the database all the time. */
const [KEYS, CACHED_KEYS] = [300, 200];
const CONNECTIONS = 4;
const CHECKS_PER_CHANGE = 100;
/**
 * What the medians of the last two quarters may differ by. The young generation of one thread's heap alone may come and go
 * with some 32 MiB, and there are three threads.
 */
const MOST_GROWTH_BYTES = 64 * 1024 * 1024;
/** Connections of the admin API and for metrics that were open as it was read. */
const MOST_MORE_DESCRIPTORS = 4;

/** Keys whose uses are wrong; more tell nothing more. */
const TOLD_KEYS = 10;

const { seconds: flag } = flagsOf({ seconds: CAMPAIGN_FLAGS.seconds });
const seconds = Number(flag ?? USUAL_SECONDS);
if (!(seconds >= 20)) {
  process.stderr.write(
    `--seconds ${flag} must be a number >= 20: memory is read once a second and judged by quarters\n`,
  );
  process.exit(2);
}

const keyward = await startKeyward({ flags: ["--cache-max-keys", String(CACHED_KEYS)] });
const problems: string[] = [];
try {
  await soak();
} finally {
  await keyward.stop();
}
for (const problem of problems) process.stdout.write(`${problem}\n`);
say(problems.length > 0 ? "BROKEN" : "kept: no check failed, nothing grew, and all uses are written down");
process.exit(problems.length > 0 ? 1 : 0);

async function soak(): Promise<void> {
  const keys = new SoakKeys(keyward.adminSocket);
  for (let made = 0; made < KEYS; made++) await keys.create();
  const caller = await openCheckCaller(keyward.authz, CONNECTIONS);
  const load = new Load(caller, keys);
  const capacity = await load.measureCapacity(CAPACITY_SECONDS);
  const rate = Math.floor(capacity / 2);
  say(`${Math.round(capacity)} checks a second at the most, with this load on the same machine; ${rate} from now on`);

  const before = await metrics();
  const [sentBefore, readings] = [load.sent, [] as Reading[]];
  let over = false;
  const beside = Promise.all([churn(keys, load, () => over), watch(readings, () => over)]);
  await load.sendSteadily(rate, seconds);
  over = true;
  const [changes] = await beside;
  tell(load, changes, load.sent - sentBefore);
  judgeGrowth(readings);
  const after = await metrics();
  for (const thread of ["0", "writer", "main"]) {
    const [half, most, all] = eventLoopDelays(before, after, thread);
    say(
      `event loop of thread ${thread} late by at most: ${half} s half of the time, ${most} s in 99 of 100 cases, ${all} s ever`,
    );
  }
  caller.close();
  await judgeCounts(keys, load);
}

/** One administrator: creates and revokes by turns, as often as the load asks for it or as it can. */
async function churn(keys: SoakKeys, load: Load, isOver: () => boolean): Promise<number> {
  let changes = 0;
  for (const begun = load.sent; !isOver(); ) {
    if (changes * CHECKS_PER_CHANGE >= load.sent - begun) await delay(1);
    else await (changes++ % 2 === 0 ? keys.create() : keys.revoke());
  }
  return changes;
}

async function watch(readings: Reading[], isOver: () => boolean): Promise<void> {
  for (; !isOver(); await delay(1_000)) {
    const samples = await metrics();
    readings.push({
      atMs: performance.now(),
      bytes: samples.get("process_resident_memory_bytes") ?? Number.NaN,
      descriptors: samples.get("process_open_fds") ?? Number.NaN,
    });
  }
}

function tell({ latency, failed, failures }: Load, changes: number, sent: number): void {
  const share = ((changes / sent) * 100).toFixed(2);
  const after = (percentile: number) => `${(latency.percentile(percentile) / 1_000).toFixed(1)} ms`;
  say(`${sent} checks and ${changes} changes (${share} %), ${failed} checks failed`);
  say(`answered within ${after(50)} (half), ${after(99)} (99 of 100), ${(latency.max / 1_000).toFixed(1)} ms (all)`);
  problems.push(...failures);
}

function judgeGrowth(readings: readonly Reading[]): void {
  const { bytes, bytesPerMinute, descriptors } = growthOf(readings);
  const last = readings.at(-1);
  const mebibytes = (number: number) => `${(number / 1024 / 1024).toFixed(1)} MiB`;
  say(
    `${mebibytes(last?.bytes ?? 0)} of memory, ${mebibytes(bytes)} more in the last quarter than in the one before ` +
      `(${mebibytes(bytesPerMinute)} a minute); ${last?.descriptors} descriptors, ${descriptors} more`,
  );
  if (!(bytes <= MOST_GROWTH_BYTES)) problems.push(`memory grew by more than ${mebibytes(MOST_GROWTH_BYTES)}`);
  if (!(descriptors <= MOST_MORE_DESCRIPTORS)) problems.push(`descriptors grew by more than ${MOST_MORE_DESCRIPTORS}`);
}

/** What the program has counted, and written down of each key, must be what was sent. */
async function judgeCounts(keys: SoakKeys, load: Load): Promise<void> {
  const samples = await metrics();
  const checks = byLabel(samples, "keyward_checks_total", "reason");
  for (const [reason, count] of load.byReason) {
    if (checks.get(reason) !== count)
      problems.push(`${count} ${reason} were answered, and ${checks.get(reason)} counted`);
  }
  for (const [what, count] of byLabel(samples, "keyward_usage_uncounted_total", "what")) {
    if (count !== 0) problems.push(`${count} of ${what} are told to be uncounted`);
  }
  let wrong: string[] = [];
  const isRight = async () => {
    wrong = await keys.wrongUses();
    return wrong.length === 0;
  };
  await until("all uses are written down", isRight).catch(() => problems.push(...wrong.slice(0, TOLD_KEYS)));
  say(`${keys.every.length} keys were allowed ${keys.every.reduce((sum, { uses }) => sum + uses, 0)} times`);
}

async function metrics(): Promise<Samples> {
  return readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
