import type { Part } from "./options.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** What one turn measured. Units stand in the names: `cpuUs`, `p99Us`. */
export type Figures = Readonly<Partial<Record<Figure, number>>>;

/** What can be measured. */
export type Figure =
  | "cpuUs"
  | "callsPerSecond"
  | "p50Us"
  | "p99Us"
  | "p999Us"
  | "allocatedBytes"
  | "startMs"
  | "heapBytesPerKey";

/** Something that is measured once a round. */
export interface Contestant {
  readonly part: Part;
  /** What tells it from all others of its part: the first cells of its row. */
  readonly row: readonly string[];
  measure(): Promise<Figures>;
}

/** A contestant with what its rounds came to, in their order. */
export interface Measured extends Pick<Contestant, "part" | "row"> {
  readonly rounds: readonly Figures[];
}

/**
 * Lets the contestants take turns: whatever else the machine does in a round, all of them bear it. The first rounds, in
 * which the compilers of all servers are still at work, are not counted.
 */
export async function takeTurns(
  contestants: readonly Contestant[],
  { rounds, warmUpRounds }: { rounds: number; warmUpRounds: number },
  tell: (round: number) => void,
): Promise<Measured[]> {
  const measured = contestants.map(({ part, row }) => ({ part, row, rounds: [] as Figures[] }));
  for (let round = 1 - warmUpRounds; round <= rounds; round++) {
    tell(round);
    for (const [index, contestant] of contestants.entries()) {
      const figures = await contestant.measure();
      if (round > 0) measured[index]?.rounds.push(figures);
    }
  }
  return measured;
}

/** What a figure came to; NaN where it was not measured. */
export function figureOf({ rounds }: Measured, figure: Figure): Spread {
  return spreadOf(rounds.flatMap((figures) => figures[figure] ?? []));
}

/**
 * What one figure of several contestants comes to together, computed round by round: their rounds lie beside each other in
 * time, and bear the same. Undefined where one of them took no part.
 */
export function perRound(
  figure: Figure,
  rows: readonly (Measured | undefined)[],
  how: (...figures: number[]) => number,
): Spread | undefined {
  const there = rows.filter((row) => row !== undefined);
  if (there.length < rows.length) return undefined;
  const results = there[0]?.rounds.map((_, round) => how(...there.map(({ rounds }) => rounds[round]?.[figure] ?? NaN)));
  return spreadOf(results?.filter((result) => !Number.isNaN(result)) ?? []);
}

export function ratio(one: number, base: number): number {
  return one / base;
}

export function difference(one: number, other: number): number {
  return one - other;
}

/** The contestant of a row; undefined where it took no part. */
export function find(measured: readonly Measured[], part: Part, ...row: readonly string[]): Measured | undefined {
  return measured.find((one) => one.part === part && one.row.join() === row.join());
}
