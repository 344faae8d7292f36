import fc from "fast-check";
import { MAX_INT31 } from "../../../src/h2/frame.ts";
import { PREFACE } from "../../../src/h2/preface.ts";
import { EDITS } from "./edits.ts";
import { sessionAt, written } from "./sessions.ts";

/** How a client leaves: it ends its side, tears the connection down, goes on listening, or does not listen for a while. */
const ENDINGS = ["end", "tear", "stay", "be deaf"] as const;

/** One connection of a client that is not what clients are. */
export interface Said {
  readonly bytes: Buffer;
  /** Where they are cut into pieces. */
  readonly cuts: readonly number[];
  readonly ending: (typeof ENDINGS)[number];
  /** Whether it is said to the server whose limits are low: each of them is met there. */
  readonly toImpatient: boolean;
}

const EDIT_NAMES = Object.keys(EDITS) as (keyof typeof EDITS)[];

const READABLE = { noNullPrototype: true };
const share = fc.nat(999).map((thousandths) => thousandths / 1_000);
const edit = fc.record({ name: fc.constantFrom(...EDIT_NAMES), where: share, number: fc.nat(MAX_INT31) }, READABLE);

/** What is as a rule, and seldom something else. */
function seldom<Usual, Other>(usual: Usual, weight: number, other: fc.Arbitrary<Other>): fc.Arbitrary<Usual | Other> {
  return fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
}

/** A recorded session, what befalls it, and how it is sent. */
const garbled = fc.record(
  {
    client: fc.nat(255),
    session: fc.nat(255),
    edits: fc.array(edit, { maxLength: 8 }),
    endsAt: seldom(1, 5, share),
    brokenPreface: seldom(undefined, 40, fc.nat(PREFACE.length - 1)),
    cuts: fc.oneof(
      { weight: 40, arbitrary: fc.array(share, { maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constant("each byte" as const) },
    ),
    ending: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...ENDINGS.slice(0, 2)) },
      { weight: 1, arbitrary: fc.constantFrom(...ENDINGS) },
    ),
    toImpatient: fc.boolean(),
  },
  READABLE,
);

/** What a connection is made from. */
export type Garbled = typeof garbled extends fc.Arbitrary<infer Value> ? Value : never;

/** Connections that are opened at the same time. What is printed of them is what their bytes are made from. */
export const rounds: fc.Arbitrary<Garbled[]> = fc.array(garbled, { minLength: 1, maxLength: 48, size: "max" });

/** Longer than any recorded session is with what is repeated in it a few times. */
const MAX_BYTES = 300_000;

/** More pieces of one byte than this say nothing new. */
const MAX_SINGLE_BYTES = 400;

/** What is said on a connection, from what it is made of. */
export function saidIn({ client, session, edits, endsAt, brokenPreface, cuts, ending, toImpatient }: Garbled): Said {
  const frames = [...sessionAt(client, session)];
  for (const { name, where, number } of edits) EDITS[name](frames, Math.floor(where * frames.length), number);
  const preface = Buffer.from(PREFACE);
  if (brokenPreface !== undefined) preface[brokenPreface] = 0;
  const whole = Buffer.concat([preface, ...frames.map(written)]).subarray(0, MAX_BYTES);
  const bytes = whole.subarray(0, Math.ceil(endsAt * whole.length));
  const places =
    cuts === "each byte"
      ? Array.from({ length: Math.min(bytes.length, MAX_SINGLE_BYTES) }, (_, place) => place)
      : cuts.map((cut) => Math.floor(cut * bytes.length)).toSorted((a, b) => a - b);
  return { bytes, cuts: places, ending, toImpatient };
}
