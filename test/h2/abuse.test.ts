import { describe, expect, test } from "vitest";
import { ERROR, type ErrorName } from "../../src/h2/connection-error.ts";
import { FLAG, FRAME } from "../../src/h2/frame.ts";
import { headerBlock } from "../../src/h2/header-block.ts";
import { until } from "../support/until.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";
import {
  CALL,
  call,
  data,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  message,
  type Pair,
  ping,
  rst,
  settings,
  windowUpdate,
} from "./support/frames.ts";
import { goodCaller } from "./support/good-caller.ts";
import type { RawPeer } from "./support/raw-peer.ts";

/** Far more rounds than any limit needs; each is told its number. */
const MAX_ROUNDS = 10_000;
const ROUNDS_AT_ONCE = 200;
const NOTHING = Buffer.alloc(0);
/** An entry of nearly 4 KiB that is remembered, and a block that names it often. */
const REMEMBERED = Buffer.concat([Buffer.from("4001617fa11e", "hex"), Buffer.alloc(4_000, "b")]);
/** Each of these takes the place of others in the table. */
const CHURN = Buffer.concat(
  Array.from({ length: 300 }, (_, index) =>
    Buffer.concat([Buffer.from("4001617e", "hex"), Buffer.alloc(126, 33 + (index % 90))]),
  ),
);
const LONG_PIECE = Buffer.alloc(16_384, 0x82);
const GET: Pair[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
];
const block = (streamId: number, ...parts: Buffer[]) => frame(FRAME.headers, 5, streamId, Buffer.concat(parts));

/** A list in which a field of 4 KiB is named 12,000 times. */
const absurdList = (streamId: number) => block(streamId, headerBlock(CALL), REMEMBERED, Buffer.alloc(12_000, 0xbe));

/** Sends rounds until the connection is ended, and makes a good call on another connection between them. */
async function attack(engine: TestEngine, peer: RawPeer, round: (index: number) => Buffer): Promise<void> {
  const callOnce = await goodCaller(engine);
  for (let index = 0; index < MAX_ROUNDS && engine.cuts.length === 0; index += ROUNDS_AT_ONCE) {
    peer.send(...Array.from({ length: ROUNDS_AT_ONCE }, (_, offset) => round(index + offset)));
    await callOnce();
  }
  await until("the attacker is cut", () => engine.cuts.length > 0);
  await callOnce();
}

describe("a peer is ended, and another one served meanwhile, that floods with", () => {
  const id = (index: number) => 2 * index + 1;
  test.each<[title: string, round: (index: number) => Buffer, before?: Buffer[]]>([
    ["requests that it resets", (index) => Buffer.concat([headers(id(index)), rst(id(index))])],
    ["requests that it has reset by us", (index) => Buffer.concat([headers(id(index)), windowUpdate(id(index), 0)])],
    ["requests that are malformed", (index) => headers(id(index), CALL.slice(1), FLAG.endStream)],
    ["requests that are no calls", (index) => headers(id(index), GET, FLAG.endStream), [windowUpdate(0, 0x7000_0000)]],
    ["empty pieces of a header block", () => frame(FRAME.continuation, 0, 1), [frame(FRAME.headers, 0, 1)]],
    ["pieces of a header block", () => frame(FRAME.continuation, 0, 1, Buffer.of(0x82)), [frame(FRAME.headers, 0, 1)]],
    ["long pieces of a header block", () => frame(FRAME.continuation, 0, 1, LONG_PIECE), [frame(FRAME.headers, 0, 1)]],
    ["SETTINGS", () => settings()],
    ["acknowledgements of settings", () => frame(FRAME.settings, FLAG.ack, 0)],
    ["PING", () => ping("12345678")],
    ["answers to PING", () => ping("12345678", FLAG.ack)],
    ["PRIORITY", () => frame(FRAME.priority, 0, 1, Buffer.alloc(5))],
    ["GOAWAY", () => frame(FRAME.goaway, 0, 0, Buffer.alloc(8))],
    ["frames of an unknown type", () => frame(0xbe, 0, 0)],
    ["window updates of the connection", () => windowUpdate(0, 1)],
    ["window updates of a call", () => windowUpdate(1, 1), [headers(1)]],
    ["window updates of a call that is over", () => windowUpdate(1, 1), [call(1)]],
    ["resets of a call that is over", () => rst(1), [call(1)]],
    ["empty data", () => data(1, NOTHING, 0), [headers(1)]],
    ["data of one byte", () => data(1, Buffer.of(0), 0), [headers(1, GET)]],
    ["padding without data", () => frame(FRAME.data, FLAG.padded, 1, Buffer.of(0)), [headers(1)]],
    [
      "padding on a stream that was reset",
      () => frame(FRAME.data, FLAG.padded, 1, Buffer.of(0)),
      [headers(1, CALL.slice(1))],
    ],
    [
      "trailers of a stream that was reset",
      () => headers(1, [["a", "b"]], FLAG.endStream),
      [headers(1, CALL.slice(1))],
    ],
    [
      "data beyond the window",
      (index) =>
        Buffer.concat([headers(id(index)), data(id(index), Buffer.alloc(16_384), 0), data(id(index), Buffer.of(0), 0)]),
    ],
    [
      "names of a long field",
      (index) =>
        block(
          id(index),
          headerBlock(CALL),
          REMEMBERED.subarray(0, index === 0 ? undefined : 0),
          Buffer.alloc(15_000 - 4_100, 0xbe),
        ),
    ],
    [
      "fields that turn the table over",
      (index) => block(id(index), headerBlock(GET), CHURN.subarray(0, 16_000 - (16_000 % 130))),
    ],
    ["calls whose answers it does not let out", (index) => call(id(index)), [settings([INITIAL_WINDOW_SIZE, 0])]],
    [
      "changes of all windows",
      () => settings(...Array.from({ length: 2_700 }, (_, index) => [INITIAL_WINDOW_SIZE, index] as const)),
      Array.from({ length: 1_000 }, (_, index) => headers(id(index))),
    ],
  ])("%s", async (_, round, before = []) => {
    // Time gives nothing back, so that it does not matter how fast the flood is on a busy machine.
    const engine = await startEngine({ limits: { nuisanceBurst: 1_500, nuisancePerSecond: 0 } });
    const peer = await engine.greet();
    peer.send(...before);
    await attack(engine, peer, round);
    expect(await peer.goaway()).toMatchObject({ code: ERROR.enhanceYourCalm });
    expect(engine.cuts).toMatchObject([{ reason: "enhanceYourCalm" }]);
    expect(engine.errors).toEqual([]);
    await peer.closed();
    await until("its memory is given back", () => engine.server.heldBytes === 0);
  });
});

describe("a peer is ended at once, and another one served, that sends", () => {
  test.each<[title: string, reason: ErrorName, frames: Buffer[]]>([
    ["a window update beyond what a window can be", "flowControl", [windowUpdate(0, 0x7fff_ffff)]],
    ["such settings, while an answer waits", "flowControl", [settings([INITIAL_WINDOW_SIZE, 0x8000_0000])]],
    ["an integer of ten bytes", "compression", [block(3, Buffer.from("ffffffffffffffffff01", "hex"))]],
    ["a header list of many times what was offered", "enhanceYourCalm", [absurdList(3)]],
    ["a frame of 16 MiB", "frameSize", [Buffer.concat([Buffer.from("ffffff", "hex"), Buffer.alloc(60_000)])]],
  ])("%s", async (_, reason, frames) => {
    const engine = await startEngine({ limits: { maxHeaderListBytes: 16_384 } });
    const callOnce = await goodCaller(engine);
    const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 0]));
    peer.send(call(1), ...frames);
    await callOnce();
    expect(await peer.goaway()).toMatchObject({ code: ERROR[reason] });
    await peer.closed();
    await callOnce();
    expect(engine.cuts).toMatchObject([{ reason }]);
    await until("its memory is given back", () => engine.server.heldBytes === 0);
  });
});

describe("a peer is kept that", () => {
  // A proxy whose clients give up all at once, or which was stopped for a while itself.
  test("resets a thousand calls at once, unfinished or answered", async () => {
    const engine = await startEngine();
    const peer = await engine.greet();
    for (let streamId = 1; streamId < 2_000; streamId += 2) peer.send(headers(streamId), rst(streamId));
    for (let streamId = 2_001; streamId < 4_000; streamId += 2) peer.send(call(streamId), rst(streamId));
    peer.send(call(4_001));
    expect((await peer.answer(4_001)).body).toEqual(message("hello"));
    expect(engine.server.counters).toMatchObject({ calls: 1_001, resetsReceived: 2_000 });
    expect(engine.cuts).toEqual([]);
  });

  test("resets each of its calls behind the answer, however many they are", async () => {
    const engine = await startEngine({ limits: { nuisanceBurst: 100 } });
    const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 1_000]), windowUpdate(0, 0x7000_0000));
    for (let streamId = 1; streamId < 10_000; streamId += 2) peer.send(call(streamId), rst(streamId), ping("12345678"));
    await peer.sync();
    expect(engine.server.counters.calls).toBe(5_000);
    expect(engine.cuts).toEqual([]);
  });

  test("sends a thousand calls of 16 KB at once, each in two pieces, in turn", async () => {
    const engine = await startEngine();
    const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000));
    const body = message(Buffer.alloc(16_000, "x"));
    const ids = Array.from({ length: 1_000 }, (_, index) => 2 * index + 1);
    for (const streamId of ids) peer.send(headers(streamId), data(streamId, body.subarray(0, 8_000), 0));
    await peer.sync();
    expect(engine.server.heldBytes).toBe(1_000 * body.length);
    for (const streamId of ids) peer.send(data(streamId, body.subarray(8_000)));
    for (const streamId of ids) expect((await peer.answer(streamId)).body.length).toBe(body.length);
    expect(engine.server.heldBytes).toBe(0);
  });

  test("sends two hundred messages of 150 kB at once", async () => {
    const engine = await startEngine();
    const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000));
    const body = message(Buffer.alloc(150_000, "abc"));
    const ids = Array.from({ length: 200 }, (_, index) => 2 * index + 1);
    for (const streamId of ids) peer.send(headers(streamId), data(streamId, body.subarray(0, 16_384), 0));
    for (const streamId of ids) {
      await peer.until((received) => received.type === FRAME.windowUpdate && received.streamId === streamId);
      for (let at = 16_384; at < body.length; at += 16_384) {
        peer.send(data(streamId, body.subarray(at, at + 16_384), at + 16_384 < body.length ? 0 : FLAG.endStream));
      }
    }
    for (const streamId of ids) expect((await peer.answer(streamId)).body.equals(body)).toBe(true);
    expect([engine.cuts, engine.server.heldBytes]).toEqual([[], 0]);
  });
});

test("a header block without end is given up at the size of a list, not held", async () => {
  const engine = await startEngine({ limits: { maxHeaderListBytes: 50_000 } });
  const peer = await engine.greet();
  peer.send(frame(FRAME.headers, 0, 1, Buffer.alloc(16_000)));
  for (let count = 0; count < 3; count++) peer.send(frame(FRAME.continuation, 0, 1, Buffer.alloc(16_000)));
  expect(await peer.goaway()).toMatchObject({
    code: ERROR.enhanceYourCalm,
    why: expect.stringContaining("header block"),
  });
});
