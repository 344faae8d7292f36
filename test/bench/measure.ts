/**
 * `npm run measure`: what Keyward takes: the size of its installation, the time until it serves, and memory: idle, with
 * a minute of full load from h2load, and with many keys (`--keys`, a million unless said otherwise). It takes ten minutes and
 * 1 GB of disk.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { settingOf } from "../../src/config/settings.ts";
import { installPackage } from "../package/support/installed.ts";
import { createCheckClient } from "../support/check-client.ts";
import { requireH2load } from "./h2load.ts";
import { type LoadedMemory, underFullLoad } from "./support/full-load.ts";
import { type Installation, sizeOf } from "./support/installation.ts";
import { fillStore, secretOf } from "./support/many-keys.ts";
import { type Served, serveMeasured } from "./support/served.ts";

const { values } = parseArgs({ options: { keys: { type: "string", default: "1000000" } } });
const keys = Number(values.keys);
/** Odd, so that a median is one of them. */
const STARTS = 5;
/** How many keys are remembered by default; twice as many fill that and push some out. */
const DEFAULT_CACHE = Number(settingOf("cache.max_keys").default);
/** What starting leaves behind is collected by then: V8 keeps the memory of a thread that ended for eight seconds. */
const SETTLE_MS = 12_000;
/** As many as an Envoy with some hundred requests under way asks at once. */
const AT_ONCE = 64;
/** How many keys the program has under full load, and for how long that lasts. */
const LOADED_KEYS = 100_000;
const LOAD_SECONDS = 60;

requireH2load();
const place = mkdtempSync(join(tmpdir(), "keyward-measure-"));
const say = (line: string) => process.stderr.write(`${line}\n`);
const table = new Table({ style: { head: [], border: [] } });
try {
  say("installing the package …");
  const installed = await installPackage(place);
  const { megabytes, packages, largest }: Installation = sizeOf(installed.folder);
  table.push(["installation", `${megabytes.toFixed(0)} MB in ${packages} packages (largest: ${largest})`]);
  const launcher = join(installed.folder, "node_modules/keyward/bin/keyward.js");

  const folder = mkdtempSync(join(place, "data-"));
  const database = join(folder, "keyward.db");
  const serveFrom = (database: string, ...flags: string[]) => serveMeasured(launcher, database, flags);
  const serve = (...flags: string[]) => serveFrom(database, ...flags);
  say("starting it …");
  const starts: Served[] = [];
  for (let start = 0; start <= STARTS; start++) {
    const served = await serve();
    await served.stop();
    if (start > 0) starts.push(served); // the first makes the database
  }
  table.push(["from start to serving", startTimes(starts)]);

  const idle = await serve();
  await delay(SETTLE_MS);
  table.push(["memory, idle", inMegabytes(idle.memory())]);
  await (await fetch(`http://${idle.admin}/.well-known/jwks.json`)).text();
  await delay(SETTLE_MS);
  table.push(["memory, idle, after the first call of the admin API", inMegabytes(idle.memory())]);
  await idle.stop();

  const loadedDatabase = join(folder, "loaded.db");
  fillStore(loadedDatabase, LOADED_KEYS);
  const loaded = await serveFrom(loadedDatabase);
  await delay(SETTLE_MS);
  for (const what of ["none remembered before", "all of them remembered before"]) {
    say(`${LOAD_SECONDS} s of full load, ${what} …`);
    const memory = await underFullLoad(loaded, secretOf(0), LOAD_SECONDS, folder);
    table.push([`memory, ${LOADED_KEYS} keys, ${what}`, loadedMemory(memory)]);
    await present(loaded, LOADED_KEYS);
    await delay(SETTLE_MS);
  }
  await loaded.stop();

  say(`making ${keys} keys …`);
  fillStore(database, keys);
  table.push([`database with ${keys} keys`, inMegabytes(statSync(database).size)]);
  for (const [what, flags, presented] of [
    ["default settings", [], Math.min(keys, 2 * DEFAULT_CACHE)],
    [`cache.max_keys ${keys}`, ["--cache-max-keys", String(keys)], keys],
  ] as const) {
    say(`presenting ${presented} keys, ${what} …`);
    const served = await serve(...flags);
    table.push([`from start to serving, ${keys} keys, ${what}`, startTimes([served])]);
    await present(served, presented);
    const most = served.mostMemory();
    await delay(SETTLE_MS);
    table.push([`memory, ${keys} keys, ${what}`, `${inMegabytes(served.memory())} (at most ${inMegabytes(most)})`]);
    await served.stop();
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
process.stdout.write(`${table.toString()}\n`);
process.stdout.write(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${distribution()}; Node ${process.versions.node}; ` +
    "memory is the resident set of the process (VmRSS, VmHWM)\n",
);

/** Presents so many keys, each once. */
async function present({ authz }: Served, count: number): Promise<void> {
  const client = createCheckClient(authz);
  let next = 0;
  const some = async () => {
    while (next < count) {
      const { code } = await client.present(secretOf(next++));
      if (code !== 0) throw new Error("a key that was made is refused");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  client.close();
}

function startTimes(starts: readonly Served[]): string {
  return `${medianOf(starts.map(({ readyMs }) => readyMs))} ms (${medianOf(starts.map(({ readyCpuMs }) => readyCpuMs))} ms of processor time)`;
}

/** With the least and the most beside it, where there are several. */
function medianOf(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((one, other) => one - other).map((number) => number.toFixed(0));
  const median = sorted[Math.floor(sorted.length / 2)] ?? "";
  return sorted.length > 1 ? `${median} [${sorted[0]} to ${sorted.at(-1)}]` : median;
}

function loadedMemory({ before, atEnd, after, calls }: LoadedMemory): string {
  const [one, two, three] = [before, atEnd, after].map(inMegabytes);
  return `${one} before, ${two} at the end of ${LOAD_SECONDS} s of full load (${calls} calls), ${three} after another ${LOAD_SECONDS} s`;
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function distribution(): string {
  return /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? process.platform;
}
