import { describe, expect, test } from "vitest";
import { FLAG, FRAME, readUint32 } from "../../src/h2/frame.ts";
import { PREFACE } from "../../src/h2/preface.ts";
import { until } from "../support/until.ts";
import { startEngine } from "./support/engine.ts";
import { call, data, headers, message, ping, settings } from "./support/frames.ts";
import type { RawPeer } from "./support/raw-peer.ts";

/** The last stream that each GOAWAY so far names. */
function named(peer: RawPeer): number[] {
  return peer.frames.filter(({ type }) => type === FRAME.goaway).map(({ payload }) => readUint32(payload, 0));
}

const ACK = ping("draining", FLAG.ack);
const marked = (peer: RawPeer) =>
  peer.until(({ type, payload }) => type === FRAME.ping && payload.equals(Buffer.from("draining")));

describe("a drain", () => {
  test("refuses nothing at first, names the last call once the peer has heard, and closes behind its answer", async () => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(headers(1));
    await peer.sync();
    const drained = engine.server.drain();
    await marked(peer);
    expect(named(peer)).toEqual([0x7fff_ffff]);
    // What was on its way is served.
    peer.send(call(3, "on its way"), headers(5), ACK);
    expect((await peer.answer(3)).body).toEqual(message("on its way"));
    await peer.sync();
    expect(named(peer)).toEqual([0x7fff_ffff, 5]);
    // What comes behind is not, and does no harm.
    peer.send(headers(7), data(7, message("too late")), data(1, message("first")));
    expect((await peer.answer(1)).body).toEqual(message("first"));
    expect(peer.isClosed).toBe(false);
    peer.send(data(5, message("last")));
    expect((await peer.answer(5)).body).toEqual(message("last"));
    await peer.closed();
    await drained;
    expect(peer.frames.some(({ streamId }) => streamId === 7)).toBe(false);
    expect(engine.cuts).toEqual([]);
    expect(engine.server.counters).toMatchObject({ calls: 3, connectionsOpened: 1, connectionsClosed: 1 });
  });

  test("waits no longer than it must for a peer that does not hear", async () => {
    const engine = await startEngine({ limits: { frameTimeoutMs: 50, lingerMs: 50 } });
    const peer = await engine.greet();
    await engine.server.drain();
    await peer.closed();
    expect(named(peer)).toEqual([0x7fff_ffff, 0]);
  });

  test("closes connections that have said nothing, and ends at once where there is none", async () => {
    const engine = await startEngine();
    await engine.server.drain();
    const silent = await startEngine();
    const peer = silent.connect();
    await until("it is there", () => silent.server.connections === 1);
    await silent.server.drain();
    await peer.closed();
    expect(peer.frames).toEqual([]);
  });

  test("is what a connection gets that comes during one, behind the call that came with it", async () => {
    const engine = await startEngine();
    const first = await engine.greet();
    const drained = engine.server.drain();
    await marked(first);
    const second = engine.connect();
    second.send(PREFACE, settings(), call(1));
    await marked(second);
    first.send(ACK);
    second.send(ACK);
    expect((await second.answer(1)).body).toEqual(message("hello"));
    await drained;
    expect([named(first), named(second)]).toEqual([
      [0x7fff_ffff, 0],
      [0x7fff_ffff, 1],
    ]);
  });

  test("begun by a handler, in the midst of a turn, mixes up no answers", async () => {
    const engine = await startEngine({
      methods: new Map([
        [
          "/test.Echo/Echo",
          {
            handler: (bytes) => {
              if (bytes[0] === 0) void engine.server.drain();
              return bytes;
            },
          },
        ],
      ]),
    });
    const peers = [await engine.greet(), await engine.greet()];
    peers[0]?.send(call(1, "a"), call(3, Buffer.of(0)), call(5, "c"));
    for (const peer of peers) await marked(peer);
    expect((await peers[0]?.answer(5))?.body).toEqual(message("c"));
    expect((await peers[0]?.answer(1))?.body).toEqual(message("a"));
    peers[1]?.send(call(1, "second"), ACK);
    expect((await peers[1]?.answer(1))?.body).toEqual(message("second"));
    peers[0]?.send(ACK);
    await engine.server.drain();
  });
});

test("a connection whose stream numbers run out drains itself while half of them are left", async () => {
  const engine = await startEngine();
  const peer = await engine.greet();
  peer.send(call(2 ** 30 - 1));
  await peer.sync();
  expect(named(peer)).toEqual([]);
  peer.send(call(2 ** 30 + 1), call(2 ** 30 + 3));
  await marked(peer);
  peer.send(ACK);
  expect((await peer.answer(2 ** 30 + 3)).body).toEqual(message("hello"));
  await peer.closed();
  expect(named(peer)).toEqual([0x7fff_ffff, 2 ** 30 + 3]);
  expect(engine.cuts).toEqual([]);
});
