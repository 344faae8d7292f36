import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import fc from "fast-check";

/** How long and from where a property is tried. */
export interface Campaign {
  /** From which the first batch is drawn; the next from the one after it. */
  readonly seed: number;
  /** Ends after so many cases, or else after so much time. */
  readonly count: number;
  readonly untilMs: number;
  /** How a batch that failed is tried again. */
  readonly command: string;
}

/** What is told about a campaign that found nothing. */
export interface Tried {
  readonly cases: number;
  readonly seconds: number;
}

/** Small enough that a failure is found again at once, large enough that starting one does not count. */
const BATCH = 1_000;
const SLOW_BATCH = 20;
/** A batch takes a second or two: what is left of this when it fails goes into looking for a smaller case. */
const SLOW_BATCH_MS = 30_000;

/** The flags of every campaign. `more` are those of its own, for `parseArgs`. */
export const CAMPAIGN_FLAGS = {
  seed: { type: "string" },
  seconds: { type: "string" },
  count: { type: "string" },
} as const;

/** Reads `--seed`, `--seconds` and `--count`; without either of the last two, `count` is the bound. Prints the seed. */
export function campaignOf(
  script: string,
  flags: { readonly [name in keyof typeof CAMPAIGN_FLAGS]?: string | undefined },
  count: number,
): Campaign {
  const seed = flags.seed === undefined ? randomInt(2 ** 31) : wholeNumber("seed", flags.seed, 0);
  const seconds = flags.seconds === undefined ? undefined : wholeNumber("seconds", flags.seconds, 1);
  const most = flags.count === undefined ? count : wholeNumber("count", flags.count, 1);
  process.stdout.write(`${script}: seed ${seed}\n`);
  return {
    seed,
    count: seconds === undefined || flags.count !== undefined ? most : Number.POSITIVE_INFINITY,
    untilMs: seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1_000,
    command: `npm run ${script} --`,
  };
}

/** The flags on the command line. Ends with 2 and a sentence where one is not known. */
export function flagsOf<Options extends NonNullable<Parameters<typeof parseArgs>[0]>["options"]>(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return process.exit(2);
  }
}

/**
 * Tries a property until the campaign's bound. Throws with the smallest case that breaks it, and with the command that
 * finds it again.
 */
export function tryOut<Case>(
  name: string,
  cases: fc.Arbitrary<Case>,
  holds: (one: Case) => void,
  campaign: Campaign,
): Tried {
  const startMs = Date.now();
  const property = fc.property(cases, holds);
  let done = 0;
  for (const batch of batchesOf(campaign, BATCH)) {
    throwIfFailed(fc.check(property, batch), `${campaign.command} --only ${name}`);
    done += batch.numRuns;
  }
  return { cases: done, seconds: (Date.now() - startMs) / 1_000 };
}

/** The same where it takes time to see whether the property holds: each case then is a long one. */
export async function tryOutSlowly<Case>(
  cases: fc.Arbitrary<Case>,
  holds: (one: Case) => Promise<void>,
  campaign: Campaign,
): Promise<Tried> {
  const startMs = Date.now();
  const property = fc.asyncProperty(cases, holds);
  let done = 0;
  for (const batch of batchesOf(campaign, SLOW_BATCH)) {
    const result = await fc.check(property, { ...batch, interruptAfterTimeLimit: SLOW_BATCH_MS });
    throwIfFailed(result, campaign.command);
    done += batch.numRuns;
  }
  return { cases: done, seconds: (Date.now() - startMs) / 1_000 };
}

/** What fast-check is told of each batch. */
interface Batch {
  readonly seed: number;
  readonly numRuns: number;
  readonly includeErrorInReport: true;
}

function* batchesOf({ seed, count, untilMs }: Campaign, size: number): Generator<Batch> {
  let left = count;
  for (let batch = 0; left > 0 && (batch === 0 || Date.now() < untilMs); batch++) {
    const numRuns = Math.min(size, left);
    yield { seed: (seed + batch) % 2 ** 31, numRuns, includeErrorInReport: true };
    left -= numRuns;
  }
}

function throwIfFailed<Case>(result: fc.RunDetails<Case>, command: string): void {
  if (!result.failed) return;
  const again = `${command} --seed ${result.seed} --count ${result.numRuns}`;
  throw new Error(`${fc.defaultReportMessage(result)}\n\nTo see it again: ${again}`);
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && text.trim() !== "") return number;
  process.stderr.write(`--${flag} ${text} must be a whole number >= ${least}\n`);
  return process.exit(2);
}
