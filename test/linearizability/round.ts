import { setTimeout as delay } from "node:timers/promises";
import type { Keyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { drawChanges } from "./change.ts";
import { Focus } from "./focus.ts";
import type { KeyHistory, Place } from "./history.ts";
import { observe, type Watch } from "./observer.ts";
import type { Enforced, Sighting } from "./revisions.ts";
import { Writer } from "./writer.ts";

const WRITERS = 4;
/** Over both threads of each process: which connection gets to which is the system's choice. */
const OBSERVERS = 4;
/**
 * Every other observer takes rests: who always waits for an answer asks nothing while a process stands still, and a
 * question that comes then is the first one that is answered afterwards.
 */
const REST_MS = 500;
/** All that was seen is kept for a round, and then judged. */
const ROUND_MS = 5_000;
/** More than can be made in that time. */
const CHANGES_PER_WRITER = 2_000;
/** How often each thread is asked how far it is. */
const SIGHTING_MS = 20;

/** The two processes on one database. */
export type Pair = Readonly<Record<Place, Keyward>>;

/** All that happened in one round. */
export interface Round {
  readonly histories: readonly KeyHistory[];
  readonly enforced: readonly Enforced[];
  readonly sightings: Readonly<Record<Place, readonly Sighting[]>>;
  readonly watches: readonly Watch[];
  readonly answered: number;
  readonly unanswered: number;
}

/** Lets writers change keys and observers look at them for a while. */
export async function runRound(name: string, pair: Pair, seed: number): Promise<Round> {
  const focus = new Focus();
  let over = false;
  const stopped = () => over;
  const places = Object.keys(pair) as Place[];
  const watching = places.flatMap((place) => {
    const { authz: address } = pair[place];
    return Array.from({ length: OBSERVERS }, (_, index) => {
      const restMs = index % 2 === 0 ? 0 : REST_MS;
      return observe({ place, name: `${place} ${index}`, address, focus, restMs, stopped });
    });
  });
  const sightings = { same: [] as Sighting[], other: [] as Sighting[] };
  const sighting = places.map((place) => sight(pair[place].ops, place, sightings[place], stopped));
  const writers = Array.from({ length: WRITERS }, (_, index) => {
    return new Writer(`${name}-${index}`, pair.same.adminSocket, focus);
  });
  const timer = setTimeout(() => {
    over = true;
  }, ROUND_MS);
  try {
    await Promise.all(
      writers.map((writer, index) => writer.run(drawChanges(CHANGES_PER_WRITER, seed + index), stopped)),
    );
  } finally {
    clearTimeout(timer);
    over = true;
  }
  await Promise.all(sighting);
  const watches = await Promise.all(watching);
  const sum = (field: "answered" | "unanswered") => writers.reduce((total, writer) => total + writer[field], 0);
  return {
    histories: writers.flatMap(({ histories }) => histories),
    enforced: writers.flatMap(({ enforced }) => enforced),
    sightings,
    watches,
    answered: sum("answered"),
    unanswered: sum("unanswered"),
  };
}

async function sight(ops: string, place: Place, into: Sighting[], stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    const begunMs = performance.now();
    // A connection that was kept longer than the server keeps it is no finding.
    const answer = await fetch(`http://${ops}/metrics`).catch(() => undefined);
    const samples = readMetrics((await answer?.text()) ?? "");
    for (const [thread, revision] of byLabel(samples, "keyward_applied_revision", "thread")) {
      into.push({ thread: `thread ${thread} of the ${place} process`, begunMs, revision });
    }
    await delay(SIGHTING_MS);
  }
}
