import { describe, expect, test } from "vitest";
import { ERROR } from "../../src/h2/connection-error.ts";
import { FLAG, FRAME } from "../../src/h2/frame.ts";
import { headerBlock } from "../../src/h2/header-block.ts";
import { startEngine } from "./support/engine.ts";
import {
  CALL,
  call,
  data,
  frame,
  headers,
  message,
  number,
  type Pair,
  ping,
  rst,
  windowUpdate,
} from "./support/frames.ts";

const NOTHING = Buffer.alloc(0);
const UNKNOWN: Pair[] = CALL.map(([name, value]) => (name === ":path" ? [name, "/test.Echo/Stream"] : [name, value]));
const without = (left: string): Pair[] => CALL.filter(([name]) => name !== left);
const priority = (streamId: number, on: number) => frame(FRAME.priority, 0, streamId, Buffer.from([...number(on), 1]));

describe("one call is reset, and the next one served, where", () => {
  test.each<[title: string, code: number, frames: Buffer[]]>([
    ["a pseudo-header is missing", ERROR.protocol, [headers(1, without(":path"), FLAG.endStream)]],
    ["a pseudo-header comes twice", ERROR.protocol, [headers(1, [...CALL.slice(0, 1), ...CALL], FLAG.endStream)]],
    ["a pseudo-header comes last", ERROR.protocol, [headers(1, [...CALL.slice(1), [":method", "POST"]])]],
    ["a pseudo-header is unknown", ERROR.protocol, [headers(1, [[":status", "200"], ...CALL])]],
    ["the path is empty", ERROR.protocol, [headers(1, [[":path", ""], ...without(":path")])]],
    ["a name has upper case", ERROR.protocol, [headers(1, [...CALL, ["X-a", "1"]])]],
    ["a value has a line feed", ERROR.protocol, [headers(1, [...CALL, ["x-a", "1\n2"]])]],
    ["a value ends with a space", ERROR.protocol, [headers(1, [...CALL, ["x-a", "1 "]])]],
    ["a field speaks of the connection", ERROR.protocol, [headers(1, [...CALL, ["connection", "close"]])]],
    ["te is not trailers", ERROR.protocol, [headers(1, [...without("te"), ["te", "gzip"]])]],
    ["two lengths differ", ERROR.protocol, [headers(1, [...CALL, ["content-length", "6"], ["content-length", "7"]])]],
    [
      "the body is shorter than its length",
      ERROR.protocol,
      [headers(1, [...CALL, ["content-length", "7"]]), data(1, message("a"))],
    ],
    [
      "the body is longer than its length",
      ERROR.protocol,
      [headers(1, [...CALL, ["content-length", "5"]]), data(1, message("a"), 0)],
    ],
    [
      "trailers come short of the length",
      ERROR.protocol,
      [
        headers(1, [...CALL, ["content-length", "7"]]),
        data(1, message("a"), 0),
        headers(1, [["x-a", "1"]], FLAG.endStream),
      ],
    ],
    ["trailers do not end it", ERROR.protocol, [headers(1), headers(1, [["x-a", "1"]])]],
    ["trailers have a pseudo-header", ERROR.protocol, [headers(1), headers(1, [[":path", "/"]], FLAG.endStream)]],
    [
      "a stream depends on itself",
      ERROR.protocol,
      [frame(FRAME.headers, 0x24, 1, Buffer.concat([number(1), Buffer.of(1), headerBlock(CALL)]))],
    ],
    ["a window grows by nothing", ERROR.protocol, [headers(1), windowUpdate(1, 0)]],
    ["a window grows too far", ERROR.flowControl, [headers(1), windowUpdate(1, 0x7fff_ffff)]],
    [
      "there is more data than the window",
      ERROR.flowControl,
      [headers(1), data(1, message(Buffer.alloc(16_000)), 0), data(1, Buffer.alloc(380), 0)],
    ],
  ])("%s", async (_, code, frames) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(...frames, call(3));
    expect(await peer.reset(1)).toBe(code);
    expect((await peer.answer(3)).body).toEqual(message("hello"));
    expect(engine.cuts).toEqual([]);
  });
});

describe("the connection ends where", () => {
  const whole = headers(1);
  test.each<[title: string, reason: keyof typeof ERROR, frames: Buffer[]]>([
    ["a request uses an even number", "protocol", [headers(2)]],
    ["a number was passed over", "protocol", [call(5), headers(3)]],
    ["a request goes on after its end", "streamClosed", [call(1), data(1, NOTHING)]],
    ["a request begins again after its end", "streamClosed", [call(1), headers(1)]],
    ["a request goes on after the peer has reset it", "streamClosed", [headers(1), rst(1), data(1, NOTHING)]],
    ["data has no stream", "protocol", [data(0, NOTHING)]],
    ["data comes before its request", "protocol", [data(1, NOTHING)]],
    ["a reset comes before its request", "protocol", [rst(1)]],
    ["a window update comes before its request", "protocol", [windowUpdate(1, 1)]],
    ["a frame is too long", "frameSize", [frame(FRAME.data, 0, 1, Buffer.alloc(16_385))]],
    ["a PING has seven bytes", "frameSize", [frame(FRAME.ping, 0, 0, Buffer.alloc(7))]],
    ["a PING is on a stream", "protocol", [frame(FRAME.ping, 0, 1, Buffer.alloc(8))]],
    ["a RST_STREAM has three bytes", "frameSize", [whole, frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))]],
    ["a PRIORITY has four bytes", "frameSize", [frame(FRAME.priority, 0, 1, Buffer.alloc(4))]],
    ["a PRIORITY depends on itself", "protocol", [priority(1, 1)]],
    ["settings end within a pair", "frameSize", [frame(FRAME.settings, 0, 0, Buffer.alloc(5))]],
    ["settings are on a stream", "protocol", [frame(FRAME.settings, 0, 1)]],
    ["an acknowledgement says more", "frameSize", [frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6))]],
    ["a client pushes", "protocol", [whole, frame(FRAME.pushPromise, 4, 1, number(2))]],
    ["a GOAWAY has seven bytes", "frameSize", [frame(FRAME.goaway, 0, 0, Buffer.alloc(7))]],
    ["padding is longer than data", "protocol", [whole, frame(FRAME.data, FLAG.padded, 1, Buffer.of(2, 0))]],
    ["padding is longer than the headers", "protocol", [frame(FRAME.headers, FLAG.padded | 4, 1, Buffer.of(9, 0x82))]],
    ["padded headers have no pad length", "frameSize", [frame(FRAME.headers, FLAG.padded | 4, 1)]],
    ["a padded part of headers has no pad length", "frameSize", [frame(FRAME.headers, FLAG.padded, 1)]],
    ["headers end within their priority", "frameSize", [frame(FRAME.headers, FLAG.priority | 4, 1, Buffer.alloc(4))]],
    ["padded data has no pad length", "protocol", [whole, frame(FRAME.data, FLAG.padded, 1)]],
    ["another frame comes within a block", "protocol", [frame(FRAME.headers, 0, 1), data(1, NOTHING)]],
    ["an unknown frame comes within a block", "protocol", [frame(FRAME.headers, 0, 1), frame(0xbe, 0, 1)]],
    ["a CONTINUATION follows no block", "protocol", [whole, frame(FRAME.continuation, 4, 1)]],
    ["a CONTINUATION is of another stream", "protocol", [frame(FRAME.headers, 0, 1), frame(FRAME.continuation, 4, 3)]],
    ["a block is not HPACK", "compression", [frame(FRAME.headers, 5, 1, Buffer.of(0x80))]],
    ["the connection's window grows by nothing", "protocol", [windowUpdate(0, 0)]],
    ["the connection's window grows too far", "flowControl", [windowUpdate(0, 0x7fff_ffff)]],
  ])("%s", async (_, reason, frames) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(...frames);
    expect(await peer.goaway()).toMatchObject({ code: ERROR[reason], why: engine.cuts[0]?.why });
    await peer.closed();
    expect(engine.cuts).toMatchObject([{ reason }]);
    expect(engine.server.counters.goaways[reason]).toBe(1);
    expect(engine.errors).toEqual([]);
  });
});

describe("a call is served though", () => {
  test.each<[title: string, frames: Buffer[]]>([
    ["it ends with trailers", [headers(1), data(1, message("hello"), 0), headers(1, [["x-a", "1"]], FLAG.endStream)]],
    ["it ends with an empty frame", [headers(1), data(1, message("hello"), 0), data(1, NOTHING)]],
    [
      "its length is told, and padding is beside it",
      [
        headers(1, [...CALL, ["content-length", "10"]]),
        frame(FRAME.data, FLAG.padded | 1, 1, Buffer.concat([Buffer.of(200), message("hello"), Buffer.alloc(200)])),
      ],
    ],
    [
      "its headers are padded",
      [
        frame(FRAME.headers, FLAG.padded | 4, 1, Buffer.concat([Buffer.of(3), headerBlock(CALL), Buffer.alloc(3)])),
        data(1, message("hello")),
      ],
    ],
    [
      "its headers carry a priority",
      [
        frame(FRAME.headers, FLAG.priority | 4, 1, Buffer.concat([number(0), Buffer.of(1), headerBlock(CALL)])),
        data(1, message("hello")),
      ],
    ],
    [
      "its block is in pieces, one of them empty",
      [
        frame(FRAME.headers, 0, 1, headerBlock(CALL).subarray(0, 7)),
        frame(FRAME.continuation, 0, 1),
        frame(FRAME.continuation, 4, 1, headerBlock(CALL).subarray(7)),
        data(1, message("hello")),
      ],
    ],
    ["a window update precedes its answer", [headers(1), windowUpdate(1, 1), data(1, message("hello"))]],
    [
      "frames of an unknown type are beside it",
      [frame(0xbe, 0xff, 1, number(7)), headers(1), frame(0xbe, 0xff, 0), data(1, message("hello"))],
    ],
    ["an idle stream gets a priority", [priority(3, 1), headers(1), data(1, message("hello"))]],
    ["the peer says GOAWAY", [frame(FRAME.goaway, 0, 0, Buffer.alloc(8)), call(1)]],
    ["window updates and resets follow its end", [call(1), windowUpdate(1, 5), rst(1), windowUpdate(1, 5)]],
  ])("%s", async (_, frames) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(...frames);
    expect((await peer.answer(1)).body).toEqual(message("hello"));
    await peer.sync();
    expect(engine.cuts).toEqual([]);
  });
});

// Our reset is on its way while the peer still sends: it must not be punished, and its blocks change the table.
test("what follows a reset of ours is decoded, counted and thrown away", async () => {
  const engine = await startEngine();
  const peer = await engine.greet();
  peer.send(headers(1, without(":path")), data(1, message("hello")), headers(1, CALL, FLAG.endStream));
  // The first call's trailers tell to remember a: b, which the next call takes from the table.
  const remembered = Buffer.from("4001610162", "hex");
  peer.send(frame(FRAME.headers, 4 | FLAG.endStream, 1, remembered));
  peer.send(frame(FRAME.headers, 4, 3, Buffer.concat([headerBlock(CALL), Buffer.of(0xbe)])), data(3, message("x")));
  expect((await peer.answer(3)).body).toEqual(message("x"));
  expect(await peer.reset(1)).toBe(ERROR.protocol);
});

/** A block that tells to remember a: b, behind what else it says; and one that names the newest entry. */
const REMEMBERING = Buffer.from("4001610162", "hex");
const NAMING = Buffer.of(0xbe);

describe("the block is decoded, so that the next one is read as it was meant, of a request that is", () => {
  const whole = Buffer.concat([headerBlock(CALL), REMEMBERING]);
  test.each<[title: string, frames: Buffer[]]>([
    ["malformed", [frame(FRAME.headers, 5, 3, Buffer.concat([headerBlock(without(":path")), REMEMBERING]))]],
    ["no call", [frame(FRAME.headers, 5, 3, Buffer.concat([headerBlock(without("content-type")), REMEMBERING]))]],
    ["refused", [headers(3), frame(FRAME.headers, 5, 5, whole)]],
    ["reset by the peer at once", [frame(FRAME.headers, 4, 3, whole), rst(3)]],
  ])("%s", async (_, frames) => {
    const engine = await startEngine({ limits: { maxStreams: 2 } });
    const peer = await engine.greet();
    peer.send(headers(1), ...frames, data(1, message("hello"), 0), frame(FRAME.headers, 5, 1, NAMING));
    expect((await peer.answer(1)).body).toEqual(message("hello"));
    expect(engine.cuts).toEqual([]);
  });

  test("too late, behind the last that a GOAWAY has named", async () => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(headers(1));
    await peer.sync();
    const drained = engine.server.drain();
    peer.send(ping("draining", FLAG.ack), frame(FRAME.headers, 5, 3, whole));
    peer.send(data(1, message("hello"), 0), frame(FRAME.headers, 5, 1, NAMING));
    expect((await peer.answer(1)).body).toEqual(message("hello"));
    await drained;
    expect(engine.cuts).toEqual([]);
    expect(engine.server.counters.calls).toBe(1);
  });
});

test("the block of a refused stream is decoded, and the stream may be tried again", async () => {
  const engine = await startEngine({ limits: { maxStreams: 1 } });
  const peer = await engine.greet();
  const remembering = Buffer.concat([headerBlock(CALL), Buffer.from("4001610162", "hex")]);
  peer.send(headers(1), frame(FRAME.headers, 4, 3, remembering), data(3, message("late")));
  expect(await peer.reset(3)).toBe(ERROR.refusedStream);
  peer.send(data(1, message("first")));
  peer.send(frame(FRAME.headers, 4, 5, Buffer.concat([headerBlock(CALL), Buffer.of(0xbe)])), data(5, message("again")));
  expect((await peer.answer(1)).body).toEqual(message("first"));
  expect((await peer.answer(5)).body).toEqual(message("again"));
  expect(engine.server.counters).toMatchObject({ calls: 2, refusedStreams: 1, resetsSent: 1 });
});

// A client that streams may wait for an answer before it says more, as those of reflection do.
test("an unknown method is answered before its request has ended, and no more of it is wanted", async () => {
  const peer = await (await startEngine()).greet();
  peer.send(headers(1, UNKNOWN));
  await peer.reset(1);
  peer.send(data(1, message("hello")), call(3));
  expect(await peer.answer(1)).toEqual({
    fields: {
      ":status": "200",
      "content-type": "application/grpc",
      "grpc-status": "12",
      "grpc-message": "unknown method",
    },
    body: NOTHING,
    reset: ERROR.none,
  });
  expect((await peer.answer(3)).body).toEqual(message("hello"));
});

test("an unknown method whose request has ended is answered without a reset", async () => {
  const peer = await (await startEngine()).greet();
  peer.send(headers(1, UNKNOWN, FLAG.endStream));
  const { fields, reset } = await peer.answer(1);
  await peer.sync();
  expect([fields["grpc-status"], reset]).toEqual(["12", undefined]);
  expect(peer.frames.some(({ type }) => type === FRAME.rstStream)).toBe(false);
});

describe("bytes arrive", () => {
  const calls = Array.from({ length: 200 }, (_, index) => call(2 * index + 1, `call ${index}`));
  test.each<[title: string, size: number]>([
    ["one by one", 1],
    ["in sevens, across each boundary", 7],
    ["in one piece", 1_000_000],
  ])("%s, and each call has its answer", async (_, size) => {
    const peer = await (await startEngine()).greet();
    const bytes = Buffer.concat(calls);
    for (let at = 0; at < bytes.length; at += size) {
      const before = peer.socket.bytesWritten;
      peer.socket.write(bytes.subarray(at, at + size));
      // One by one they would be put together again on their way if nobody waited now and then.
      if (before % 997 === 0) await new Promise(setImmediate);
    }
    for (const index of calls.keys()) {
      expect((await peer.answer(2 * index + 1)).body.toString("latin1", 5)).toBe(`call ${index}`);
    }
  });
});
