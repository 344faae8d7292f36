import { describe, expect, test } from "vitest";
import { GRPC_STATUS, grpcRefusal } from "../../src/h2/answer.ts";
import { FLAG, FRAME } from "../../src/h2/frame.ts";
import { ECHO, startEngine } from "./support/engine.ts";
import { CALL, call, data, frame, headers, message, type Pair, windowUpdate } from "./support/frames.ts";

/** The head of a call with some fields replaced, or left out. */
const head = (changes: Record<string, string | undefined>): Pair[] => [
  ...CALL.flatMap(([name, value]): Pair[] => {
    const changed = name in changes ? changes[name] : value;
    return changed === undefined ? [] : [[name, changed]];
  }),
  ...Object.entries(changes).flatMap(([name, value]): Pair[] =>
    value === undefined || CALL.some(([known]) => known === name) ? [] : [[name, value]],
  ),
];

describe("a call", () => {
  test("is answered with the handler's bytes, and its status behind them", async () => {
    const peer = await (await startEngine()).greet();
    peer.send(call(1, "hello"));
    expect(await peer.answer(1)).toEqual({
      fields: { ":status": "200", "content-type": "application/grpc", "grpc-status": "0" },
      body: message("hello"),
    });
  });

  test("of an empty message is answered", async () => {
    const peer = await (await startEngine()).greet();
    peer.send(call(1, ""));
    expect((await peer.answer(1)).body).toEqual(message(""));
  });

  test("shows its handler the metadata that it asked for, and no other", async () => {
    const seen: unknown[] = [];
    const methods = new Map([
      [
        "/test.Echo/Echo",
        {
          metadata: ["traceparent", "tracestate"],
          handler: (_: Uint8Array, metadata: ReadonlyMap<string, string>) => {
            seen.push(Object.fromEntries(metadata));
            return Buffer.alloc(0);
          },
        },
      ],
    ]);
    const peer = await (await startEngine({ methods })).greet();
    const fields: Pair[] = [...CALL, ["traceparent", "00-1"], ["tracestate", "x".repeat(1_025)], ["x-other", "1"]];
    peer.send(headers(1, fields), headers(3), data(3, message("")), data(1, message("")));
    await peer.answer(1);
    const twice: Pair[] = [...CALL, ["traceparent", "00-1"], ["traceparent", "00-2"]];
    peer.send(headers(5, twice), data(5, message("")));
    await peer.answer(5);
    expect(seen).toEqual([{}, { traceparent: "00-1" }, { traceparent: "00-1,00-2" }]);
  });

  test.each<[title: string, handler: () => unknown, fields: object, errors: number]>([
    ["throws", () => JSON.parse("{"), { "grpc-status": "13", "grpc-message": "internal error" }, 1],
    ["returns no bytes", () => "text", { "grpc-status": "13", "grpc-message": "internal error" }, 1],
    [
      "refuses",
      () => grpcRefusal(GRPC_STATUS.notFound, "unknown service"),
      { "grpc-status": "5", "grpc-message": "unknown service" },
      0,
    ],
  ])("whose handler %s fails alone", async (_, handler, fields, errors) => {
    const methods = new Map([
      ["/test.Echo/Echo", ECHO],
      ["/test.Echo/Fail", { handler: handler as () => Uint8Array }],
    ]);
    const engine = await startEngine({ methods });
    const peer = await engine.greet();
    peer.send(headers(1, head({ ":path": "/test.Echo/Fail" })), data(1, message("")), call(3));
    expect((await peer.answer(1)).fields).toMatchObject({ ":status": "200", ...fields });
    expect((await peer.answer(3)).body).toEqual(message("hello"));
    expect(engine.errors).toHaveLength(errors);
    expect(engine.server.counters).toMatchObject({ calls: 2, handlerErrors: errors });
  });
});

describe("a request that is no call is answered once it has ended", () => {
  test.each<[title: string, fields: Pair[], answer: Record<string, string>]>([
    ["GET", head({ ":method": "GET" }), { ":status": "405", allow: "POST" }],
    ["no content-type", head({ "content-type": undefined }), { ":status": "415" }],
    ["JSON", head({ "content-type": "application/json" }), { ":status": "415" }],
    ["gRPC-Web", head({ "content-type": "application/grpc-web" }), { ":status": "415" }],
    ["headers larger than the limit", [...CALL, ["x", "x".repeat(16_000)]], { ":status": "431" }],
  ])("%s", async (_, fields, answer) => {
    const engine = await startEngine({ limits: { maxHeaderListBytes: 16_000 } });
    const peer = await engine.greet();
    peer.send(headers(1, fields));
    await peer.sync();
    expect(peer.frames.filter(({ streamId }) => streamId === 1)).toEqual([]);
    peer.send(data(1, message("")));
    expect((await peer.answer(1)).fields).toMatchObject(answer);
    expect(engine.server.counters).toMatchObject({ calls: 0, refusals: 1 });
  });

  test.each([["application/grpc"], ["application/grpc+proto"], ["application/grpc;charset=utf-8"]])(
    "and %s is a call",
    async (type) => {
      const peer = await (await startEngine()).greet();
      peer.send(headers(1, head({ "content-type": type })), data(1, message("a")));
      expect((await peer.answer(1)).fields).toMatchObject({ "grpc-status": "0" });
    },
  );
});

describe("a message", () => {
  const compressed = Buffer.concat([Buffer.of(1), message("x").subarray(1)]);
  test.each<[title: string, body: Buffer, fields: object]>([
    ["of the largest size", message(Buffer.alloc(1_000, "a")), { "grpc-status": "0" }],
    ["one byte larger", message(Buffer.alloc(1_001, "a")), { "grpc-status": "8" }],
    ["that is compressed", compressed, { "grpc-status": "12" }],
    ["that is not there", Buffer.alloc(0), { "grpc-status": "12" }],
    ["with another behind it", Buffer.concat([message("a"), message("b")]), { "grpc-status": "12" }],
    ["with one byte behind it", Buffer.concat([message("a"), Buffer.of(0)]), { "grpc-status": "12" }],
    ["one byte short", message("abc").subarray(0, 7), { "grpc-status": "13" }],
    ["with a prefix that is cut off", message("abc").subarray(0, 4), { "grpc-status": "13" }],
  ])("%s is answered the same, whole and in pieces", async (_, body, fields) => {
    const peer = await (await startEngine({ limits: { maxMessageBytes: 1_000 } })).greet();
    peer.send(headers(1), data(1, body));
    const pieces = [...body].map((byte) => data(3, Buffer.of(byte), 0));
    peer.send(headers(3), ...pieces, data(3, Buffer.alloc(0)));
    expect((await peer.answer(1)).fields).toMatchObject(fields);
    expect((await peer.answer(3)).fields).toMatchObject(fields);
    expect((await peer.answer(3)).body).toEqual((await peer.answer(1)).body);
  });

  test.each([[4 * 1024 * 1024], [16 * 1024 * 1024]])("of %i bytes is granted its window, and echoed", async (size) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    const body = message(Buffer.alloc(size, "abcdefg"));
    peer.send(headers(1), data(1, body.subarray(0, 16_384), 0));
    const { payload } = await peer.until(({ type, streamId }) => type === FRAME.windowUpdate && streamId === 1);
    expect(payload.readUInt32BE()).toBe(body.length - 16_384);
    expect(engine.server.heldBytes).toBe(body.length);
    for (let at = 16_384; at < body.length; at += 16_384) {
      peer.send(data(1, body.subarray(at, at + 16_384), at + 16_384 < body.length ? 0 : FLAG.endStream));
    }
    peer.send(windowUpdate(0, body.length), windowUpdate(1, body.length));
    expect((await peer.answer(1)).body.equals(body)).toBe(true);
    expect(engine.server.heldBytes).toBe(0);
  });
});

describe("metadata", () => {
  test.each([
    ["60 KB in one field", [["tracestate", "~".repeat(60_000)]]],
    ["1 MB in fifty fields", Array.from({ length: 50 }, () => ["tracestate", "~".repeat(20_000)])],
    ["ten thousand fields", Array.from({ length: 10_000 }, () => ["a", "b"])],
  ] as [string, Pair[]][])("of %s is taken", async (_, more) => {
    const peer = await (await startEngine()).greet();
    const whole = headers(1, [...CALL, ...more]).subarray(9);
    const pieces = Array.from({ length: Math.ceil(whole.length / 16_384) }, (_piece, index) =>
      frame(
        index === 0 ? FRAME.headers : FRAME.continuation,
        (index + 1) * 16_384 >= whole.length ? FLAG.endHeaders : 0,
        1,
        whole.subarray(index * 16_384, (index + 1) * 16_384),
      ),
    );
    peer.send(...pieces, data(1, message("a")));
    expect((await peer.answer(1)).fields).toMatchObject({ "grpc-status": "0" });
  });
});
