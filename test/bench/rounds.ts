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

/** The same as a ratio to another contestant, round by round; a difference where `how` says so. */
export function comparedWith(
  base: Measured,
  { rounds }: Measured,
  figure: Figure,
  how: (one: number, other: number) => number = (one, other) => one / other,
): Spread {
  const pairs = rounds.map((figures, round) => how(figures[figure] ?? NaN, base.rounds[round]?.[figure] ?? NaN));
  return spreadOf(pairs.filter((number) => !Number.isNaN(number)));
}

/** The contestant of a row; undefined where it took no part. */
export function find(measured: readonly Measured[], part: Part, ...row: readonly string[]): Measured | undefined {
  return measured.find((one) => one.part === part && one.row.join() === row.join());
}
