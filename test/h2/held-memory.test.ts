import { describe, expect, test } from "vitest";
import { FLAG } from "../../src/h2/frame.ts";
import { FrameReader } from "../../src/h2/frame-reader.ts";
import { MessageBuffer } from "../../src/h2/grpc-message.ts";
import { HeaderAssembler } from "../../src/h2/header-assembler.ts";
import { until } from "../support/until.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";
import { data, headers, INITIAL_WINDOW_SIZE, message, number, ping, rst, settings } from "./support/frames.ts";
import type { RawPeer } from "./support/raw-peer.ts";

// A part of what was read would hold on to all 64 KiB that libuv has read at once, and what came later would overwrite it.
describe("a copy is kept, and nothing of what was read, of", () => {
  test("a frame that is cut off", () => {
    const reader = new FrameReader();
    const frames: string[] = [];
    const sink = {
      onFrame: (_type: number, _flags: number, _streamId: number, bytes: Buffer, start: number, end: number) =>
        frames.push(bytes.toString("latin1", start, end)),
    };
    const whole = ping("whatever");
    for (const cut of [1, 8, 9, 10, 16]) {
      const chunk = Buffer.from(whole.subarray(0, cut));
      reader.push(chunk, sink);
      chunk.fill(0xff);
      reader.push(whole.subarray(cut), sink);
    }
    expect(frames).toEqual(Array(5).fill("whatever"));
  });

  test("a header block that goes on", () => {
    const assembler = new HeaderAssembler(100);
    const chunk = Buffer.from("first");
    assembler.begin(0, 1, chunk, 0, chunk.length);
    chunk.fill(0xff);
    expect(assembler.continue(FLAG.endHeaders, 1, Buffer.from("last"), 0, 4)).toBe(true);
    expect(assembler.bytes.toString("latin1", assembler.start, assembler.end)).toBe("firstlast");
  });

  test("a message that comes in pieces", () => {
    const buffer = new MessageBuffer(100);
    const chunk = message("hello").subarray(0, 7);
    buffer.append(chunk, 0, chunk.length);
    chunk.fill(0xff);
    buffer.append(Buffer.from("llo"), 0, 3);
    expect(Buffer.from(buffer.finish() as Uint8Array).toString()).toBe("hello");
  });
});

test("a message takes the memory of what has come of it, not of what it announces", () => {
  const before = process.memoryUsage().arrayBuffers;
  const announcing = Buffer.concat([Buffer.of(0), number(16 * 1024 * 1024), Buffer.alloc(100)]);
  const buffers = Array.from({ length: 100 }, () => {
    const buffer = new MessageBuffer(16 * 1024 * 1024);
    buffer.append(announcing, 0, announcing.length);
    return buffer;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  expect(buffers.map(({ expectedBytes }) => expectedBytes)).toEqual(Array(100).fill(16 * 1024 * 1024 + 5));
});

describe("what is held for a message is given back", () => {
  const body = message(Buffer.alloc(20_000, "x"));
  const ending = (engine: TestEngine, peer: RawPeer): Record<string, () => void> => ({
    "when it is answered": () => peer.send(data(1, body.subarray(10_000, 20_000), 0), data(1, body.subarray(20_000))),
    "when its answer waits, and is taken back": () => {
      peer.send(settings([INITIAL_WINDOW_SIZE, 0]));
      peer.send(data(1, body.subarray(10_000, 20_000), 0), data(1, body.subarray(20_000)), rst(1));
    },
    "when it is reset for more data than it may be": () => {
      peer.send(data(1, body.subarray(10_000, 20_000), 0), data(1, Buffer.alloc(6), FLAG.endStream));
    },
    "when its trailers are none": () => peer.send(headers(1)),
    "when it breaks off": () => peer.send(data(1, Buffer.alloc(0))),
    "when the peer resets it": () => peer.send(rst(1)),
    "when the peer is gone": () => peer.socket.destroy(),
    "when the peer is cut": () => peer.send(data(0, Buffer.alloc(0))),
    "when all connections are closed": () => engine.server.stop(),
  });
  test.each(Object.keys(ending({} as TestEngine, {} as RawPeer)))("%s", async (title) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(headers(1), data(1, body.subarray(0, 10_000), 0));
    await peer.sync();
    expect(engine.server.heldBytes).toBe(body.length);
    ending(engine, peer)[title]?.();
    await until("it is given back", () => engine.server.heldBytes === 0);
  });
});
