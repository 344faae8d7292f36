import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { ERROR } from "../../src/h2/connection-error.ts";
import { FRAME } from "../../src/h2/frame.ts";
import type { Limits } from "../../src/h2/limits.ts";
import { PREFACE } from "../../src/h2/preface.ts";
import type { Cut } from "../../src/h2/service.ts";
import { createUnaryServer } from "../../src/h2/unary-server.ts";
import { createAuthority } from "../support/certificates.ts";
import { until } from "../support/until.ts";
import { ECHO, startEngine } from "./support/engine.ts";
import { call, data, headers, INITIAL_WINDOW_SIZE, message, ping, settings, windowUpdate } from "./support/frames.ts";
import { RawPeer } from "./support/raw-peer.ts";

/** All windows open, so that nothing but the socket holds an answer up. */
const OPEN = [settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000)];

describe("the preface", () => {
  test.each([
    ["byte by byte", 1],
    ["in two pieces", 13],
    ["with what follows it", 1_000],
  ])("may come %s", async (_, size) => {
    const engine = await startEngine();
    const peer = engine.connect();
    const bytes = Buffer.concat([PREFACE, settings(), call(1)]);
    for (let at = 0; at < bytes.length; at += size) {
      peer.send(bytes.subarray(at, at + size));
      await setImmediate();
    }
    expect((await peer.answer(1)).body).toEqual(message("hello"));
    expect(peer.frames[0]?.type).toBe(FRAME.settings);
  });

  test.each([
    ["its last byte wrong", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", "latin1")],
    ["the first bytes of TLS in its place", Buffer.of(0x16, 3, 1, 0, 200)],
    ["text in its place", Buffer.from("hello there\r\n")],
  ])("with %s ends the connection", async (_, bytes) => {
    const engine = await startEngine();
    const peer = engine.connect();
    peer.send(bytes);
    expect(await peer.goaway()).toEqual({ lastStreamId: 0, code: ERROR.protocol, why: "no HTTP/2 preface" });
    await peer.closed();
  });

  test.each([["GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ["POST /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\n"]])(
    "is missed in words where %j comes",
    async (request) => {
      const engine = await startEngine();
      const peer = engine.connect();
      peer.send(Buffer.from(request));
      await peer.closed();
      const answer = Buffer.concat(peer.bytes).toString();
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      expect(head).toContain(`content-length: ${body.length}\r\n`);
      expect(engine.cuts).toMatchObject([{ reason: "http11Required" }]);
    },
  );

  test("must be followed by settings", async () => {
    const peer = (await startEngine()).connect();
    peer.send(PREFACE, ping("12345678"));
    expect(await peer.goaway()).toMatchObject({ code: ERROR.protocol, why: "a first frame that is not SETTINGS" });
  });
});

test("a peer that does not answer a PING after a silence is cut, and one that does is kept", async () => {
  const engine = await startEngine({ limits: { silenceMs: 50, pingTimeoutMs: 50 } });
  const [lively, dead] = [await engine.greet(), await engine.greet()];
  lively.socket.on("data", () => lively.send(ping("\0".repeat(8), 1)));
  await dead.closed();
  expect(engine.cuts).toMatchObject([{ reason: "stalled", why: "no sign of life" }]);
  await lively.sync();
  expect(lively.isClosed).toBe(false);
});

// As a machine does that is suspended: whatever the peer has said meanwhile is read only behind the first tick.
test.each<[title: string, limits: Partial<Limits>, begun: Buffer]>([
  ["its silence", { silenceMs: 100, pingTimeoutMs: 100 }, Buffer.alloc(0)],
  ["a frame that it has begun", { frameTimeoutMs: 100 }, call(1).subarray(0, 20)],
  ["a request that it has begun", { requestTimeoutMs: 100 }, headers(1)],
])("a peer is not cut for %s while the program stood still", async (_, limits, begun) => {
  const engine = await startEngine({ limits });
  const peer = await engine.greet();
  peer.send(begun);
  const ticks = performance.now();
  await until("the beginning is seen", () => performance.now() - ticks > 30);
  // Timers come first behind this.
  await setImmediate();
  peer.send(call(1).subarray(begun.length));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  expect((await peer.answer(1)).body).toEqual(message("hello"));
  expect(engine.cuts).toEqual([]);
});

// The timer of a slow frame begins with the frame, not with the end of the one before.
test("a frame in two pieces after a long silence is no slow one", async () => {
  const engine = await startEngine({ limits: { frameTimeoutMs: 100 } });
  const peer = await engine.greet();
  for (let round = 0; round < 3; round++) {
    const opened = performance.now();
    await until("a time that is too long for a frame has passed", () => performance.now() - opened > 150);
    const bytes = call(2 * round + 1);
    peer.send(bytes.subarray(0, 20));
    await setImmediate();
    peer.send(bytes.subarray(20));
    expect((await peer.answer(2 * round + 1)).body).toEqual(message("hello"));
  }
  expect(engine.cuts).toEqual([]);
});

// Each look at the clock finds a frame in its midst, and each time it is another one.
test("many frames that are each in two pieces are no slow ones", async () => {
  const engine = await startEngine({ limits: { frameTimeoutMs: 100 } });
  const peer = await engine.greet();
  let rest: Buffer = Buffer.alloc(0);
  const opened = performance.now();
  let streamId = 1;
  for (; performance.now() - opened < 300; streamId += 2) {
    const bytes = call(streamId);
    peer.send(rest, bytes.subarray(0, 20));
    rest = bytes.subarray(20);
    await setImmediate();
  }
  peer.send(rest);
  expect((await peer.answer(streamId - 2)).body).toEqual(message("hello"));
  expect(engine.cuts).toEqual([]);
});

// Else the kernel would reset the connection, and throw the GOAWAY away with it.
test("what the peer still sends behind its error is read, so that it learns of the error", async () => {
  const engine = await startEngine({ limits: { lingerMs: 600_000 } });
  const peer = new RawPeer(connect({ path: engine.path, allowHalfOpen: true }));
  await peer.greet();
  peer.send(data(0, Buffer.alloc(0)));
  expect(await peer.goaway()).toMatchObject({ code: ERROR.protocol });
  // More than any kernel holds for a reader that is gone, or does not read.
  const written = Promise.withResolvers<void>();
  peer.socket.write(Buffer.alloc(16_000_000), (error) => (error ? written.reject(error) : written.resolve()));
  await written.promise;
  expect(engine.server.connections).toBe(1);
});

test("and is not listened to for longer than it must be", async () => {
  const engine = await startEngine({ limits: { lingerMs: 50 } });
  const peer = new RawPeer(connect({ path: engine.path, allowHalfOpen: true }));
  await peer.greet();
  peer.send(data(0, Buffer.alloc(0)));
  await peer.goaway();
  await until("it is closed", () => engine.server.connections === 0);
});

// An answer stays in memory until the kernel takes it, and others are written meanwhile.
test("answers that one peer does not read yet are not mixed up with those of another", async () => {
  const engine = await startEngine();
  const [lazy, busy] = [await engine.greet(...OPEN), await engine.greet(...OPEN)];
  lazy.socket.pause();
  const count = 400;
  const body = Buffer.alloc(10_000, "a");
  for (let index = 0; index < count; index++) lazy.send(call(2 * index + 1, body));
  for (let index = 0; index < 100; index++) {
    busy.send(call(2 * index + 1, Buffer.alloc(10_000, "b")));
    expect((await busy.answer(2 * index + 1)).body.length).toBe(10_005);
  }
  lazy.socket.resume();
  for (let index = 0; index < count; index++) {
    expect((await lazy.answer(2 * index + 1)).body.equals(message(body))).toBe(true);
  }
});

test("one connection too many is closed, and the next is taken when one has ended", async () => {
  const engine = await startEngine({ limits: { maxConnections: 1 } });
  const first = await engine.greet();
  const second = engine.connect();
  await second.closed();
  first.socket.destroy();
  await until("the first is gone", () => engine.server.connections === 0);
  const third = await engine.greet();
  third.send(call(1));
  expect((await third.answer(1)).body).toEqual(message("hello"));
  expect(engine.server.counters).toMatchObject({ connectionsOpened: 2, connectionsRefused: 1 });
});

test("over TLS only a connection that has agreed on h2 is taken", async () => {
  const { cert, key } = createAuthority().issue();
  const server = createUnaryServer({ methods: new Map([["/test.Echo/Echo", ECHO]]) });
  const listener = createTlsServer({ cert, key, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => server.take(socket));
  onTestFinished(() => {
    listener.close();
    server.stop();
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as AddressInfo;
  const peerOf = (more: object) =>
    new RawPeer(connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...more }));
  for (const more of [{}, { ALPNProtocols: ["http/1.1"] }]) {
    const other = peerOf(more);
    other.send(PREFACE, settings(), call(1));
    await other.closed();
    expect(other.frames).toEqual([]);
  }
  const peer = peerOf({ ALPNProtocols: ["h2"] });
  await peer.greet();
  peer.send(call(1));
  expect((await peer.answer(1)).body).toEqual(message("hello"));
  expect(server.counters).toMatchObject({ connectionsOpened: 1, connectionsRefused: 2, calls: 1 });
});

test("a client that ends its side behind its calls has their answers", async () => {
  const engine = await startEngine();
  const peer = new RawPeer(connect({ path: engine.path, allowHalfOpen: true }));
  await peer.greet();
  peer.socket.end(Buffer.concat([call(1, "a"), call(3, "b")]));
  expect((await peer.answer(3)).body).toEqual(message("b"));
  await peer.closed();
});

test("a cut tells the peer's address", async () => {
  const cuts: Cut[] = [];
  const server = createUnaryServer({ methods: new Map([["/test.Echo/Echo", ECHO]]), onCut: (cut) => cuts.push(cut) });
  const listener = createServer((socket) => server.take(socket)).listen(0, "127.0.0.1");
  onTestFinished(() => {
    listener.close();
    server.stop();
  });
  await once(listener, "listening");
  const peer = new RawPeer(connect((listener.address() as AddressInfo).port, "127.0.0.1"));
  await peer.greet(settings());
  peer.send(data(0, Buffer.alloc(0)));
  await peer.closed();
  expect(cuts).toContainEqual({
    reason: "protocol",
    why: "a frame of type 0 on no stream",
    remoteAddress: "127.0.0.1",
  });
});

test("a client of nghttp2 with many calls at once has the answer of each", async () => {
  const engine = await startEngine();
  const client = connectHttp2("http://localhost", { createConnection: () => connect(engine.path) });
  onTestFinished(() => client.destroy());
  const ask = async (text: string) => {
    const stream = client.request({
      ":method": "POST",
      ":path": "/test.Echo/Echo",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(message(text));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString("latin1", 5);
  };
  const texts = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(index * 20));
  expect(await Promise.all(texts.map(ask))).toEqual(texts);
});
