import { once } from "node:events";
import { connect, sensitiveHeaders } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { Field } from "../../../src/h2/field.ts";
import { FLAG, FRAME } from "../../../src/h2/frame.ts";
import { FrameReader } from "../../../src/h2/frame-reader.ts";
import { HeaderAssembler } from "../../../src/h2/header-assembler.ts";
import { HpackDecoder } from "../../../src/h2/hpack/decoder.ts";
import { Preface } from "../../../src/h2/preface.ts";
import { until } from "../../support/until.ts";
import { SETTINGS_ACK, settings } from "../support/frames.ts";

const HEADER_TABLE_SIZE = 1;
const BLOCKS = 3_000;

/** A listener that decodes the blocks of its one client, and offers it a table of another size now and then. */
async function startDecoder(): Promise<{ port: number; lists: [string, string][][] }> {
  const lists: [string, string][][] = [];
  const listener = createServer((socket) => {
    const [preface, reader, blocks, decoder] = [
      new Preface(),
      new FrameReader(),
      new HeaderAssembler(1 << 20),
      new HpackDecoder(),
    ];
    const onFrame = (type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number) => {
      if (type === FRAME.settings && (flags & FLAG.ack) === 0) socket.write(SETTINGS_ACK);
      const isWhole =
        (type === FRAME.headers && blocks.begin(flags, streamId, bytes, start, end)) ||
        (type === FRAME.continuation && blocks.continue(flags, streamId, bytes, start, end));
      if (!isWhole) return;
      const list: [string, string][] = [];
      decoder.decode(blocks.bytes, blocks.start, blocks.end, {
        add: ({ name, value }: Field) => list.push([name, value]),
      });
      lists.push(list);
      if (lists.length % 50 === 0) socket.write(settings([HEADER_TABLE_SIZE, (lists.length * 37) % 4_097]));
    };
    socket.write(settings());
    socket.on("data", (chunk: Buffer) => reader.push(preface.isComplete ? chunk : preface.push(chunk), { onFrame }));
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    listener.close();
  });
  await once(listener, "listening");
  return { port: (listener.address() as AddressInfo).port, lists };
}

/** Names and values that come again, so that tables matter, and such as never came before. */
const name = fc.oneof(
  fc.constantFrom("accept", "user-agent", "x-a", "x-b", "x-c"),
  fc.stringMatching(/^x-[a-z0-9_.~-]{1,30}$/),
);
const value = fc.oneof(
  fc.constantFrom("", "a", "gzip, deflate", "x".repeat(200)),
  fc.stringMatching(/^[!-~][ -~]{0,60}[!-~]$/),
  fc.nat(3_000).map((length) => "~".repeat(length)),
  fc.uint8Array({ minLength: 1, maxLength: 40, min: 0xa0 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

test(`${BLOCKS} blocks of nghttp2, whose table changes its size, are decoded to what was written`, async () => {
  const { port, lists } = await startDecoder();
  const client = connect(`http://127.0.0.1:${port}`, { settings: { enablePush: false } });
  client.on("error", () => {});
  onTestFinished(() => client.destroy());
  const seed = Date.now() % 2 ** 31;
  const samples = fc.sample(fc.dictionary(name, value, { maxKeys: 12, noNullPrototype: true }), {
    seed,
    numRuns: BLOCKS,
  });
  for (const [index, headers] of samples.entries()) {
    const hidden = Object.keys(headers).filter((_, place) => (index + place) % 5 === 0);
    const request = { ":method": "POST", ":path": `/${index % 7}`, ...headers, [sensitiveHeaders]: hidden };
    const stream = client.request(request);
    stream.on("error", () => {});
    stream.close();
    // In small groups: the table's size changes in between.
    if (index % 50 === 49) await until(`block ${index} is there (seed ${seed})`, () => lists.length > index);
  }
  const regular = lists.map((list) => list.filter(([field]) => !field.startsWith(":")));
  expect({ seed, regular }).toEqual({ seed, regular: samples.map((headers) => Object.entries(headers)) });
});
