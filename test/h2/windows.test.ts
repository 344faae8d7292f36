import { describe, expect, test } from "vitest";
import { ERROR } from "../../src/h2/connection-error.ts";
import { FLAG, FRAME, readUint32 } from "../../src/h2/frame.ts";
import { PREFACE } from "../../src/h2/preface.ts";
import { until } from "../support/until.ts";
import { startEngine } from "./support/engine.ts";
import {
  call,
  data,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  message,
  rst,
  SETTINGS_ACK,
  settings,
  windowUpdate,
} from "./support/frames.ts";
import type { RawPeer } from "./support/raw-peer.ts";

const window = (bytes: number) => settings([INITIAL_WINDOW_SIZE, bytes]);

/** The lengths of the DATA frames of an answer so far. */
async function sent(peer: RawPeer, streamId: number): Promise<number[]> {
  await peer.sync();
  const frames = peer.frames.filter((frame) => frame.type === FRAME.data && frame.streamId === streamId);
  return frames.map(({ payload }) => payload.length);
}

/** What was granted to a stream so far. */
function granted(peer: RawPeer, streamId: number): number[] {
  const frames = peer.frames.filter((frame) => frame.type === FRAME.windowUpdate && frame.streamId === streamId);
  return frames.map(({ payload }) => readUint32(payload, 0));
}

describe("an answer", () => {
  const body = message("0123456789");

  test("waits for its window, and leaves byte by byte as it opens", async () => {
    const engine = await startEngine();
    const peer = await engine.greet(window(0));
    peer.send(call(1, "0123456789"));
    expect(await sent(peer, 1)).toEqual([]);
    peer.send(windowUpdate(1, 1));
    peer.send(windowUpdate(1, 9));
    expect(await sent(peer, 1)).toEqual([1, 9]);
    expect(engine.server.heldBytes).toBe(10);
    peer.send(windowUpdate(1, 100));
    expect((await peer.answer(1)).body).toEqual(body);
    expect(engine.server.heldBytes).toBe(0);
  });

  test("uses a window that was opened before it was there", async () => {
    const peer = await (await startEngine()).greet(window(0));
    peer.send(headers(1), windowUpdate(1, body.length), data(1, message("0123456789")));
    expect((await peer.answer(1)).body).toEqual(body);
  });

  test("waits while settings have made its window negative", async () => {
    const peer = await (await startEngine()).greet(window(5));
    peer.send(call(1, "0123456789"));
    expect(await sent(peer, 1)).toEqual([5]);
    peer.send(window(0), windowUpdate(1, 5));
    expect(await sent(peer, 1)).toEqual([5]);
    peer.send(windowUpdate(1, 1));
    expect(await sent(peer, 1)).toEqual([5, 1]);
    peer.send(window(1_000));
    expect((await peer.answer(1)).body).toEqual(body);
  });

  test("waits for the connection's window, while the connection's alone opens", async () => {
    const peer = await (await startEngine()).greet(window(1_000_000));
    const long = Buffer.alloc(60_000, "abc");
    peer.send(headers(1), data(1, message(Buffer.alloc(10, "x"))));
    expect((await sent(peer, 1))[0]).toBe(15);
    for (let at = 0, whole = message(long); at < whole.length; at += 10_000) {
      if (at === 0) peer.send(headers(3));
      peer.send(data(3, whole.subarray(at, at + 10_000), at + 10_000 < whole.length ? 0 : FLAG.endStream));
      if (at === 0) await peer.until(({ type, streamId }) => type === FRAME.windowUpdate && streamId === 3);
    }
    peer.send(call(5, Buffer.alloc(10_000)));
    // 65,535 in all, of which 15 and 60,005 are gone.
    expect((await sent(peer, 5)).reduce((sum, length) => sum + length, 0)).toBe(5_515);
    peer.send(windowUpdate(0, 4_489));
    expect((await sent(peer, 5)).at(-1)).toBe(4_489);
    peer.send(windowUpdate(0, 1));
    expect((await peer.answer(5)).body.length).toBe(10_005);
  });

  test("whose window overflows by settings ends the connection", async () => {
    const engine = await startEngine();
    const peer = await engine.greet(window(0));
    peer.send(headers(1), windowUpdate(1, 1), window(0x7fff_fffe));
    await peer.sync();
    peer.send(window(0x7fff_ffff));
    expect(await peer.goaway()).toMatchObject({ code: ERROR.flowControl });
    expect(engine.cuts).toMatchObject([{ why: "settings that open a stream's window beyond 2^31 - 1" }]);
  });

  test("that waits is given up with its call, and its memory with it", async () => {
    const engine = await startEngine();
    const peer = await engine.greet(window(0));
    peer.send(call(1), call(3));
    await peer.sync();
    expect(engine.server.heldBytes).toBe(10);
    peer.send(rst(1));
    await peer.sync();
    expect(engine.server.heldBytes).toBe(5);
    peer.socket.destroy();
    await until("the rest is given back", () => engine.server.heldBytes === 0);
    expect(engine.server.counters).toMatchObject({ resetsReceived: 1, resetsSent: 0 });
  });

  test("that waits for too long is reset", async () => {
    const engine = await startEngine({ limits: { requestTimeoutMs: 50 } });
    const peer = await engine.greet(window(0));
    peer.send(call(1));
    expect(await peer.reset(1)).toBe(ERROR.cancel);
    expect(engine.server.heldBytes).toBe(0);
  });

  test("there is no room for is reset", async () => {
    const engine = await startEngine({ limits: { maxHeldBytes: 9 } });
    const peer = await engine.greet(window(0));
    peer.send(call(1, "hello"), call(3, "hello"));
    expect(await peer.reset(3)).toBe(ERROR.enhanceYourCalm);
    expect(engine.server.heldBytes).toBe(5);
  });

  test("keeps what it said though the peer sends more beside it", async () => {
    const peer = await (await startEngine()).greet(window(0));
    peer.send(call(1, "hello"), data(1, Buffer.alloc(1)), call(3, "other"));
    expect(await peer.reset(1)).toBe(ERROR.streamClosed);
    peer.send(windowUpdate(3, 100));
    expect((await peer.answer(3)).body).toEqual(message("other"));
  });
});

describe("a request", () => {
  test("may use the default window until the settings are acknowledged", async () => {
    const engine = await startEngine();
    const peer = engine.connect();
    const body = message(Buffer.alloc(60_000, "x"));
    peer.send(PREFACE, settings(), headers(1));
    for (let at = 0; at < body.length; at += 15_001) {
      peer.send(data(1, body.subarray(at, at + 15_001), at + 15_001 < body.length ? 0 : FLAG.endStream));
    }
    expect((await peer.answer(1)).body.equals(body)).toBe(true);
    expect(granted(peer, 1)).toEqual([]);
  });

  test("that the acknowledgement finds half sent is granted the rest", async () => {
    const engine = await startEngine();
    const peer = engine.connect();
    const body = message(Buffer.alloc(60_000, "x"));
    peer.send(PREFACE, settings(), headers(1), data(1, body.subarray(0, 16_000), 0), SETTINGS_ACK);
    await peer.sync();
    expect(granted(peer, 1)).toEqual([body.length - 16_384]);
    for (let at = 16_000; at < body.length; at += 16_000) {
      peer.send(data(1, body.subarray(at, at + 16_000), at + 16_000 < body.length ? 0 : FLAG.endStream));
    }
    expect((await peer.answer(1)).body.equals(body)).toBe(true);
  });

  test("of 16 KiB needs nothing granted, and one byte more does", async () => {
    const peer = await (await startEngine()).greet();
    const fits = message(Buffer.alloc(16_384 - 5, "x"));
    const over = message(Buffer.alloc(16_384 - 4, "x"));
    peer.send(headers(1), data(1, fits.subarray(0, 9), 0), data(1, fits.subarray(9)));
    peer.send(headers(3), data(3, over.subarray(0, 9), 0));
    expect((await peer.answer(1)).body.equals(fits)).toBe(true);
    await peer.sync();
    expect([granted(peer, 1), granted(peer, 3)]).toEqual([[], [1]]);
  });

  test("whose padding has taken from its window is granted that as well", async () => {
    const peer = await (await startEngine()).greet();
    const body = message(Buffer.alloc(20_000, "x"));
    const padded = frame(
      FRAME.data,
      FLAG.padded,
      1,
      Buffer.concat([Buffer.of(255), body.subarray(0, 100), Buffer.alloc(255)]),
    );
    peer.send(headers(1), padded);
    await peer.sync();
    expect(granted(peer, 1)).toEqual([body.length + 256 - 16_384]);
    peer.send(data(1, body.subarray(100, 16_000), 0), data(1, body.subarray(16_000)));
    expect((await peer.answer(1)).body.equals(body)).toBe(true);
  });

  test("that is long waits for those before it, and goes on when they end in whatever way", async () => {
    const engine = await startEngine({ limits: { maxMessageBytes: 50_000 } });
    const peer = await engine.greet();
    const body = message(Buffer.alloc(30_000, "x"));
    for (const streamId of [1, 3, 5, 7]) peer.send(headers(streamId), data(streamId, body.subarray(0, 10_000), 0));
    await peer.sync();
    const grants = () => [1, 3, 5, 7].map((streamId) => granted(peer, streamId).length);
    expect(grants()).toEqual([1, 0, 0, 0]);
    // A short one needs no grant, and is not held up.
    peer.send(call(9));
    expect((await peer.answer(9)).body).toEqual(message("hello"));
    peer.send(rst(1));
    await peer.sync();
    expect(grants()).toEqual([1, 1, 0, 0]);
    peer.send(rst(5), data(3, body.subarray(10_000, 26_000), 0), data(3, body.subarray(26_000)));
    expect((await peer.answer(3)).body.equals(body)).toBe(true);
    await peer.sync();
    expect(grants()).toEqual([1, 1, 0, 1]);
    expect(engine.server.heldBytes).toBe(body.length);
  });

  test("that does not come whole in time is reset, and its memory given back", async () => {
    const engine = await startEngine({ limits: { requestTimeoutMs: 50 } });
    const peer = await engine.greet();
    peer.send(headers(1), data(1, message(Buffer.alloc(30_000)).subarray(0, 10_000), 0));
    expect(await peer.reset(1)).toBe(ERROR.cancel);
    expect([engine.server.heldBytes, engine.cuts]).toEqual([0, []]);
    peer.send(call(3));
    expect((await peer.answer(3)).body).toEqual(message("hello"));
  });

  test("in pieces is refused where there is no memory for it, and the next one is served", async () => {
    const engine = await startEngine({ limits: { maxHeldBytes: 1_000 } });
    const peer = await engine.greet();
    const body = message(Buffer.alloc(900, "x"));
    peer.send(headers(1), data(1, body.subarray(0, 500), 0), headers(3), data(3, body.subarray(0, 500), 0));
    expect((await peer.answer(3)).fields).toMatchObject({ "grpc-status": "8" });
    peer.send(data(1, body.subarray(500)), data(3, body.subarray(500)), call(5));
    expect((await peer.answer(1)).body).toEqual(body);
    expect((await peer.answer(5)).body).toEqual(message("hello"));
  });

  test("that is no call is not waited for beyond half of its window", async () => {
    const peer = await (await startEngine()).greet();
    peer.send(
      headers(1, [
        [":method", "PUT"],
        [":scheme", "http"],
        [":path", "/"],
      ]),
      data(1, Buffer.alloc(8_193), 0),
    );
    expect(await peer.reset(1)).toBe(ERROR.none);
  });
});

test("the connection's window is opened far, and given back in time, whatever becomes of the data", async () => {
  const engine = await startEngine({ limits: { maxStreams: 4, maxMessageBytes: 20_000 } });
  const peer = await engine.greet();
  const opened = 4 * 16_384 + 20_000;
  expect(granted(peer, 0)).toEqual([opened - 65_535]);
  for (let streamId = 1; streamId < 20; streamId += 2)
    peer.send(headers(streamId), data(streamId, Buffer.alloc(16_000), 0), rst(streamId));
  await peer.sync();
  expect(granted(peer, 0).slice(1)).toEqual([48_000, 48_000, 48_000]);
});
