import { FLAG, FRAME, MAX_INT31 } from "../../../src/h2/frame.ts";
import { call, data, frame, headers, message, ping, rst, settings, windowUpdate } from "../../h2/support/frames.ts";
import { type Frame, framesIn, sessionAt } from "./sessions.ts";

/** Does something to the frames of a session. `index` says to which, and `number`, of 31 bits, what. */
type Edit = (frames: Frame[], index: number, number: number) => void;

/** What befalls a session. */
export const EDITS = {
  drop: (frames, index) => frames.splice(index, 1),
  repeat: (frames, index, number) => repeat(frames, index, 1 + (number % 8)),
  "repeat many times": (frames, index, number) => repeat(frames, index, number % 2_000),
  move: (frames, index, number) => frames.splice(number % (frames.length + 1), 0, ...frames.splice(index, 1)),
  "swap with the next": (frames, index) => frames.splice(index, 2, ...frames.slice(index, index + 2).reverse()),
  "one flag": (frames, index, number) => change(frames, index, ({ flags }) => ({ flags: flags ^ (1 << (number % 8)) })),
  "all flags": (frames, index, number) => change(frames, index, () => ({ flags: number & 0xff })),
  type: (frames, index, number) => change(frames, index, () => ({ type: number % 12 })),
  stream: (frames, index, number) =>
    change(frames, index, ({ streamId }) => ({
      streamId: [0, 1, 2, 3, streamId + 2, streamId - 2, MAX_INT31][number % 7] ?? 0,
    })),
  "the length that is told": (frames, index, number) =>
    change(frames, index, () => ({ lie: [1, -1, 9, 255, 16_000, 0xff_ffff][number % 6] ?? 1 })),
  cut: (frames, index, number) =>
    change(frames, index, ({ payload }) => ({ payload: payload.subarray(0, number % (payload.length + 1)) })),
  "one byte": (frames, index, number) =>
    change(frames, index, ({ payload }) => ({ payload: garbled(payload, number) })),
  pad: (frames, index, number) =>
    change(frames, index, ({ flags, payload }) => ({
      flags: flags | FLAG.padded,
      payload: Buffer.concat([Buffer.of(number & 0xff), payload, Buffer.alloc((number >>> 8) & 0xff)]),
    })),
  "split in two": (frames, index, number) => frames.splice(index, 1, ...halves(at(frames, index), number)),
  "the same calls again": (frames, _index, number) => callAgain(frames, 1 + (number % 4)),
  "some of another client": (frames, index, number) => {
    const others = sessionAt(number & 0xff, (number >>> 8) & 0xff);
    const from = (number >>> 16) % (others.length + 1);
    frames.splice(index, 0, ...others.slice(from, from + 1 + ((number >>> 24) % 3)));
  },
  "one that nobody said": (frames, index, number) => {
    const make = OWN[number % OWN.length];
    frames.splice(index, 0, ...framesIn(make?.(2 * ((number >>> 8) % 6) + 1, number >>> 12) ?? NOTHING));
  },
} as const satisfies Record<string, Edit | ((...of: Parameters<Edit>) => unknown)>;

/** One of every kind that a rule speaks of. `id` is a stream, and `any` chooses among what such a frame can say. */
const OWN: readonly ((id: number, any: number) => Buffer)[] = [
  (id) => call(id),
  (id) => headers(id),
  (id, any) => data(id, message(Buffer.alloc(any % 20_000)).subarray(0, 16_384), any & 1),
  (id, any) => windowUpdate(any & 1 ? id : 0, [0, 1, 16_384, MAX_INT31][(any >>> 1) % 4] ?? 1),
  (id) => rst(id),
  (_, any) => settings([any % 8, [0, 1, 5, 65_535, MAX_INT31, 0xffff_ffff][(any >>> 3) % 6] ?? 0]),
  (_, any) => frame(FRAME.settings, any & 1, 0),
  (_, any) => ping("draining", any & 1),
  () => frame(FRAME.goaway, 0, 0, Buffer.alloc(8)),
  (id) => frame(FRAME.priority, 0, id, Buffer.alloc(5)),
  (id, any) => frame(any & 0xff, (any >>> 8) & 0xff, any & 1 ? id : 0, Buffer.alloc((any >>> 4) % 64, any)),
];

const NOTHING = Buffer.alloc(0);
const EMPTY: Frame = { type: 0, flags: 0, streamId: 0, payload: NOTHING, lie: 0 };

/** So much does a frame that is repeated come to: more would only tell how fast memory is. */
const MAX_REPEATED_BYTES = 100_000;

function at(frames: readonly Frame[], index: number): Frame {
  return frames[index] ?? EMPTY;
}

function change(frames: Frame[], index: number, how: (frame: Frame) => Partial<Frame>): void {
  const before = at(frames, index);
  frames.splice(index, 1, { ...before, ...how(before) });
}

function repeat(frames: Frame[], index: number, times: number): void {
  const one = at(frames, index);
  const most = Math.ceil(MAX_REPEATED_BYTES / (9 + one.payload.length));
  frames.splice(index, 0, ...Array<Frame>(Math.min(times, most)).fill(one));
}

function garbled(payload: Buffer, number: number): Buffer {
  const other = Buffer.from(payload);
  if (other.length > 0) other[(number >>> 8) % other.length] = number & 0xff;
  return other;
}

/** Headers go on in a CONTINUATION, and data in other data. */
function halves(whole: Frame, number: number): Frame[] {
  const where = number % (whole.payload.length + 1);
  const [first, second] = [whole.payload.subarray(0, where), whole.payload.subarray(where)];
  return whole.type === FRAME.headers
    ? [
        { ...whole, payload: first, flags: whole.flags & ~FLAG.endHeaders },
        { ...whole, payload: second, flags: whole.flags & FLAG.endHeaders, type: FRAME.continuation },
      ]
    : [
        { ...whole, payload: first, flags: whole.flags & ~FLAG.endStream },
        { ...whole, payload: second },
      ];
}

/** On streams behind the last. */
function callAgain(frames: Frame[], times: number): void {
  const calls = frames.filter(({ streamId }) => streamId > 0);
  const last = calls.reduce((most, { streamId }) => Math.max(most, streamId), 0);
  for (let turn = 1; turn <= times; turn++) {
    const by = turn * (last + (last % 2));
    frames.push(...calls.map((one) => ({ ...one, streamId: (one.streamId + by) & MAX_INT31 })));
  }
}
