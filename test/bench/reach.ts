import { TRANSPORTS } from "../support/transports.ts";
import { IN_TURN } from "./asked-in-turn.ts";
import { METRICS_ROW } from "./checks.ts";
import { NO_FILTER } from "./envoy-config.ts";
import { difference, figureOf, find, type Measured, perRound, ratio } from "./rounds.ts";
import { FLOORS, keywardOn, LOADS } from "./servers.ts";
import type { Spread } from "./spread.ts";
import { OVER_TCP } from "./through-envoy.ts";

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
  const aims = [...ofServers(measured), ...ofCheck(measured), ...ofStore(measured), ...throughEnvoy(measured)];
  return aims.flatMap(([what, atMost, spread]) => {
    if (spread === undefined || Number.isNaN(spread.median)) return [];
    return [{ what, atMost, measured: spread, holds: spread.min <= atMost }];
  });
}

/** A figure, the most that it may be, and what it is; undefined where something for it was not measured. */
type Aim = readonly [what: string, atMost: number, measured: Spread | undefined];

function ofServers(measured: readonly Measured[]): Aim[] {
  const { alone, usual, most } = LOADS;
  const row = (name: string, asked: string, { name: load }: { name: string }) =>
    find(measured, "servers", name, asked, load);
  const floor = (name: string, load: { name: string }) => row(name, "constant", load);
  const engine = keywardOn("h2");
  const cpuAtMost = (name: string) => perRound("cpuUs", [row(engine, "hit", most), floor(name, most)], ratio);
  const p99 = perRound("p99Us", [row(engine, "hit", alone), floor(FLOORS.http2, alone)], ratio);
  const ofEach = TRANSPORTS.map(keywardOn).flatMap((name): Aim[] => {
    const calls = [row(name, "hit", usual), floor(FLOORS.grpc, usual)];
    const lookups = [row(name, IN_TURN.miss, usual), row(name, IN_TURN.hit, usual)];
    return [
      [`${name} ÷ ${FLOORS.grpc}: CPU, ${usual.name}`, 1.1, perRound("cpuUs", calls, ratio)],
      [`${name}: a miss costs more than a hit, µs, ${usual.name}`, 10, perRound("cpuUs", lookups, difference)],
    ];
  });
  return [
    [`${engine} ÷ ${FLOORS.grpc}: CPU, ${most.name}`, 1 / 8, cpuAtMost(FLOORS.grpc)],
    [`${engine} ÷ ${FLOORS.http2}: CPU, ${most.name}`, 1 / 4, cpuAtMost(FLOORS.http2)],
    [`${engine} ÷ ${FLOORS.http2}: p99, ${alone.name}`, 1, p99],
    ...ofEach,
  ];
}

function ofCheck(measured: readonly Measured[]): Aim[] {
  const row = (name: string, keys = "") => find(measured, "check", name, keys);
  const sizes = measured.flatMap(({ part, row: [name, keys] }) => (part === "check" && name === "hit" ? [keys] : []));
  const [fewest] = sizes;
  const most = sizes.at(-1);
  const bare = find(measured, "servers", FLOORS.grpc, "constant", LOADS.usual.name);
  const metrics = find(measured, "check", ...METRICS_ROW);
  const larger = (most === fewest ? [] : ["hit", "miss"]).map((name): Aim => {
    const growth = perRound("cpuUs", [row(name, most), row(name, fewest)], ratio);
    return [`check(bytes): a ${name} with ${most} ÷ with ${fewest}`, 1.2, growth];
  });
  return [
    [
      `check(bytes) of a cached key ÷ a call of ${FLOORS.grpc}, ${LOADS.usual.name}`,
      1 / 12,
      perRound("cpuUs", [row("hit", fewest), bare], ratio),
    ],
    [
      "check(bytes): a miss costs more than a hit, µs",
      10,
      perRound("cpuUs", [row("miss", fewest), row("hit", fewest)], difference),
    ],
    ...larger,
    ["metrics of one check, µs", 0.3, metrics && figureOf(metrics, "cpuUs")],
  ];
}

function ofStore(measured: readonly Measured[]): Aim[] {
  const cached = measured.find(({ part, row }) => part === "store" && row[0] === "cached");
  const largest = measured.findLast(({ part, row }) => part === "store" && row[0] === "start");
  return [
    ["heap of a cached key, bytes", 600, cached && figureOf(cached, "heapBytesPerKey")],
    [`start with ${largest?.row[1]}, ms`, 1_000, largest && figureOf(largest, "startMs")],
  ];
}

function throughEnvoy(measured: readonly Measured[]): Aim[] {
  const rows = [OVER_TCP.h2, OVER_TCP.grpc, NO_FILTER].map((name) => find(measured, "envoy", name));
  const added = perRound("p50Us", rows, (engine, grpc, none) => (engine - none) / (grpc - none));
  return [["through Envoy, TCP: p50 that Keyward adds, h2 ÷ grpc-js", 0.7, added]];
}
