import { METRICS_ROW } from "./checks.ts";
import { comparedWith, type Figure, figureOf, find, type Measured } from "./rounds.ts";
import { FLOORS, USUAL_SHAPE } from "./servers.ts";
import type { Spread } from "./spread.ts";

/** How far a figure is to reach, and how far it does. */
export interface Reach {
  readonly what: string;
  readonly atMost: number;
  readonly measured: Spread;
  /** Missed where even the best round is above the bound: a busy machine makes nothing faster. */
  readonly holds: boolean;
}

/** All that can be said of what was measured. */
export function reachOf(measured: readonly Measured[]): Reach[] {
  const reaches: Reach[] = [];
  const say = (what: string, atMost: number, spread: Spread | undefined) => {
    if (spread !== undefined && !Number.isNaN(spread.median)) {
      reaches.push({ what, atMost, measured: spread, holds: spread.min <= atMost });
    }
  };
  const ratio = (figure: Figure, one: Measured | undefined, base: Measured | undefined) =>
    one && base && comparedWith(base, one, figure);
  const check = (name: string, keys: string | undefined) =>
    keys === undefined ? undefined : find(measured, "check", name, keys);
  const sizes = keyCounts(measured);
  const [fewest] = sizes;
  const most = sizes.at(-1);
  const grpc = find(measured, "servers", FLOORS[0], "constant", USUAL_SHAPE);
  const hit = check("hit", fewest);
  const miss = check("miss", fewest);

  say("check(bytes) of a cached key ÷ a call of bare grpc-js", 1 / 12, ratio("cpuUs", hit, grpc));
  for (const { row, part } of measured) {
    const [name = "", asked, shape] = row;
    if (part !== "servers" || asked !== "hit" || shape !== USUAL_SHAPE) continue;
    say(`${name} ÷ bare grpc-js, CPU`, 1.1, ratio("cpuUs", find(measured, part, ...row), grpc));
  }
  say("a miss costs more than a hit, µs", 10, hit && miss && comparedWith(hit, miss, "cpuUs", minus));
  if (most !== fewest) {
    for (const name of ["hit", "miss"]) {
      say(`${name} with ${most} ÷ with ${fewest}`, 1.2, ratio("cpuUs", check(name, most), check(name, fewest)));
    }
  }
  const cached = measured.find(({ part, row }) => part === "store" && row[0] === "cached");
  say("heap of a cached key, bytes", 600, cached && figureOf(cached, "heapBytesPerKey"));
  const largest = measured.findLast(({ part, row }) => part === "store" && row[0] === "start");
  say(`start with ${largest?.row[1]}, ms`, 1_000, largest && figureOf(largest, "startMs"));
  const metrics = find(measured, "check", ...METRICS_ROW);
  say("metrics of one check, µs", 0.3, metrics && figureOf(metrics, "cpuUs"));
  return reaches;
}

/** The second cells of the rows of `check`, smallest database first. */
function keyCounts(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ part, row: [name, keys] }) => (part === "check" && name === "hit" && keys ? [keys] : []));
}

function minus(one: number, other: number): number {
  return one - other;
}
