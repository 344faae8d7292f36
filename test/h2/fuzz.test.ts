import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FLAG, FRAME } from "../../src/h2/frame.ts";
import { headerBlock } from "../../src/h2/header-block.ts";
import { PREFACE } from "../../src/h2/preface.ts";
import { until } from "../support/until.ts";
import { startEngine } from "./support/engine.ts";
import {
  CALL,
  call,
  data,
  frame,
  headers,
  message,
  ping,
  rst,
  SETTINGS_ACK,
  settings,
  windowUpdate,
} from "./support/frames.ts";

const RUNS = 600;
const streamId = fc.constantFrom(0, 1, 1, 3, 3, 5, 7, 2, 9, 0x7fff_ffff);
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const flags = fc.oneof(fc.constantFrom(0, FLAG.endStream, FLAG.endHeaders, 5, FLAG.padded, 0x2d), fc.nat(255));
const increment = fc.constantFrom(0, 1, 16_384, 0x7fff_ffff);

/** What clients say, in an order that none would choose. */
const sensible = fc.oneof(
  streamId.map((id) => call(id)),
  streamId.map((id) => headers(id)),
  fc.tuple(streamId, bytes(40), flags).map(([id, body, flag]) => data(id, message(body), flag & ~FLAG.padded)),
  fc
    .tuple(streamId, fc.nat(40), flags)
    .map(([id, cut, flag]) => frame(FRAME.headers, flag, id, headerBlock(CALL).subarray(0, cut))),
  fc.tuple(streamId, flags).map(([id, flag]) => frame(FRAME.continuation, flag, id, headerBlock(CALL).subarray(7))),
  fc.tuple(fc.nat(7), fc.constantFrom(0, 1, 5, 65_535, 0x7fff_ffff, 0xffff_ffff)).map((pair) => settings(pair)),
  fc.tuple(streamId, increment).map(([id, by]) => windowUpdate(id, by)),
  streamId.map((id) => rst(id)),
  fc.constant(ping("draining", FLAG.ack)),
  fc.constant(SETTINGS_ACK),
);

/** Anything in the form of a frame, and anything at all. */
const senseless = fc.oneof(
  fc.tuple(fc.nat(11), flags, streamId, bytes(60)).map(([type, flag, id, payload]) => frame(type, flag, id, payload)),
  bytes(30),
);

const session = fc.record({
  frames: fc.array(fc.oneof({ weight: 8, arbitrary: sensible }, { weight: 1, arbitrary: senseless }), {
    maxLength: 30,
  }),
  pieceBytes: fc.constantFrom(1, 3, 50, 1_000_000),
  isGreeted: fc.boolean().map((not) => !not),
});

test(`${RUNS} sessions of frames that make no sense leave no error, no memory and no harm to another peer`, async () => {
  const engine = await startEngine({ limits: { lingerMs: 0 } });
  const good = await engine.greet(settings(), windowUpdate(0, 0x7000_0000));
  let goodId = 1;
  let sessions = 0;
  await fc.assert(
    fc.asyncProperty(session, async ({ frames, pieceBytes, isGreeted }) => {
      sessions++;
      const socket = connect(engine.path).on("error", () => {});
      socket.resume();
      const said = Buffer.concat([PREFACE, ...(isGreeted ? [settings(), SETTINGS_ACK] : []), ...frames]);
      for (let at = 0; at < said.length; at += pieceBytes) socket.write(said.subarray(at, at + pieceBytes));
      socket.end();
      await until("the connection is gone", () => engine.server.counters.connectionsClosed === sessions);
      socket.destroy();
      good.send(call(goodId, `call ${goodId}`));
      expect((await good.answer(goodId)).body).toEqual(message(`call ${goodId}`));
      goodId += 2;
      expect([engine.errors, engine.server.counters.goaways.internal, engine.server.heldBytes]).toEqual([[], 0, 0]);
    }),
    { numRuns: RUNS },
  );
});
