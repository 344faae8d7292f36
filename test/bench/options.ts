import { parseArgs } from "node:util";

/** The parts of the benchmark. */
const PARTS = ["servers", "check", "store", "envoy"] as const;
export type Part = (typeof PARTS)[number];

/** How much is measured. */
export interface Size {
  readonly name: "full" | "quick" | "smoke";
  /** Odd, so that a median is one of them. Figures in the documentation come from nine or more. */
  readonly rounds: number;
  /** Before these, so that the compilers of all servers are done. */
  readonly warmUpRounds: number;
  /** What a server is asked per round: by one stream alone (so often that forty calls are above the p99), and by many. */
  readonly callsAlone: number;
  readonly calls: number;
  /** What `check(bytes)` is asked per round: a tenth of a second, some collections of garbage included. */
  readonly checks: number;
  /** Through Envoy, per round. */
  readonly requests: number;
  /** How many keys the databases have, smallest first. */
  readonly keys: readonly number[];
  /** Which of them the servers have. */
  readonly serverKeys: number;
}

export interface Options {
  readonly size: Size;
  readonly parts: readonly Part[];
  readonly output: "table" | "json";
}

const SIZES: readonly Size[] = [
  {
    name: "full",
    rounds: 9,
    warmUpRounds: 2,
    callsAlone: 4_000,
    calls: 10_000,
    checks: 20_000,
    requests: 600,
    keys: [1_000, 100_000, 1_000_000],
    serverKeys: 100_000,
  },
  {
    name: "quick",
    rounds: 3,
    warmUpRounds: 1,
    callsAlone: 1_000,
    calls: 8_000,
    checks: 20_000,
    requests: 200,
    keys: [1_000, 100_000],
    serverKeys: 100_000,
  },
  {
    name: "smoke",
    rounds: 1,
    warmUpRounds: 0,
    callsAlone: 20,
    calls: 200,
    checks: 100,
    requests: 10,
    keys: [1_000],
    serverKeys: 1_000,
  },
];

/** What `npm run bench -- --help` prints. */
export const HELP = `npm run bench -- [--quick | --smoke] [--only PART,…] [-o table|json]

  --quick   fewer rounds and keys: about three minutes, 0.5 GB of disk
  --smoke   shows that everything works; its figures say nothing
  --only    ${PARTS.join(", ")}: some of them
  -o        table (default) or json, which has every round

The full form takes about ten minutes, and up to 2 GB in $TMPDIR (or /tmp) while it runs.
It ends with 1 where an answer is wrong or something cannot be started, and with 0 where
a figure of the table "Reach" is missed: that depends on the machine.
`;

/** Reads the command line; undefined where it asks for help. Throws where it says what there is not. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean" },
      smoke: { type: "boolean" },
      only: { type: "string", default: PARTS.join(",") },
      output: { type: "string", short: "o", default: "table" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const wanted = values.smoke ? "smoke" : values.quick ? "quick" : "full";
  const size = SIZES.find(({ name }) => name === wanted);
  const { output } = values;
  if (output !== "table" && output !== "json") throw new Error(`-o ${output} must be table or json`);
  const named = values.only.split(",");
  const strange = named.find((name) => !PARTS.some((part) => part === name));
  if (size === undefined || strange !== undefined) throw new Error(`--only ${strange} must be of ${PARTS.join(", ")}`);
  return { size, parts: PARTS.filter((part) => named.includes(part)), output };
}
