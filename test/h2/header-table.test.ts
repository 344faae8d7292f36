import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { FRAME } from "../../src/h2/frame.ts";
import { startEngine } from "./support/engine.ts";
import { CALL, call, headers, INITIAL_WINDOW_SIZE, message, settings, windowUpdate } from "./support/frames.ts";
import type { RawPeer } from "./support/raw-peer.ts";

const HEADER_TABLE_SIZE = 1;
const tableOf = (bytes: number) => settings([HEADER_TABLE_SIZE, bytes]);

/** A size of the table, none, as the first byte of a block (RFC 7541 §6.3). */
const EMPTIED = 0x20;

/** Which of the header blocks so far begin with it. */
async function emptied(peer: RawPeer): Promise<boolean[]> {
  await peer.sync();
  return peer.frames.filter(({ type }) => type === FRAME.headers).map(({ payload }) => payload[0] === EMPTIED);
}

describe("a peer that remembers", () => {
  test.each<[title: string, sizes: number[], first: boolean]>([
    ["nothing", [0], true],
    ["one byte less", [4_095], true],
    ["nothing for a while", [0, 4_096], true],
    ["as much as all do", [4_096], false],
    ["more", [1_000_000], false],
  ])("%s is told so with the first headers, where it must be, and never again", async (_, sizes, first) => {
    const engine = await startEngine();
    const peer = await engine.greet();
    peer.send(call(1), ...sizes.map(tableOf), call(3), call(5), tableOf(4_096), tableOf(0), call(7));
    expect((await peer.answer(7)).body).toEqual(message("hello"));
    expect(await emptied(peer)).toEqual([false, false, first, false, false, false, !first, false]);
  });

  test("nothing any more is told so in a refusal, and behind an answer that waited", async () => {
    const engine = await startEngine();
    const [refused, waiting] = [await engine.greet(tableOf(0)), await engine.greet(settings([INITIAL_WINDOW_SIZE, 0]))];
    refused.send(headers(1, [...CALL.slice(0, 2), [":path", "/test.Echo/Other"], ...CALL.slice(3)]));
    expect((await refused.answer(1)).fields["grpc-status"]).toBe("12");
    expect(await emptied(refused)).toEqual([true]);
    waiting.send(call(1), tableOf(0), windowUpdate(1, 100));
    expect((await waiting.answer(1)).fields["grpc-status"]).toBe("0");
    expect(await emptied(waiting)).toEqual([false, true]);
  });
});

// It ends the connection where it is not told.
test("nghttp2 takes answers though it makes its table smaller, at first and later", async () => {
  const engine = await startEngine();
  const client = connectHttp2("http://localhost", {
    createConnection: () => connect(engine.path),
    settings: { headerTableSize: 100 },
  });
  onTestFinished(() => client.destroy());
  for (const headerTableSize of [0, 4_096, 50, 100_000, 0]) {
    const stream = client.request({ ...Object.fromEntries(CALL) });
    stream.end(message("hello"));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(message("hello"));
    const heard = Promise.withResolvers<void>();
    client.settings({ headerTableSize }, () => heard.resolve());
    await heard.promise;
  }
  expect(engine.cuts).toEqual([]);
});
