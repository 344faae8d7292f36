import { writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folderForThisTest } from "../support/for-this-test.ts";
import { runLoadInTurn } from "./load-in-turn.ts";
import { framed } from "./request.ts";

/** 64 of them do not go into the window of a connection (RFC 9113 §6.9.2). */
const MESSAGES = Array.from({ length: 100 }, (_, number) => Buffer.alloc(2_000, String(number).padStart(4, "0")));

/** Serves HTTP/2 that keeps what it is sent, and answers each call as the test says. */
async function serve(answer: (respond: { message(): void; trailers(): void; reset(): void }) => void) {
  const seen: Buffer[] = [];
  const fields = { ":status": 200, "content-type": "application/grpc" };
  const server = createServer().on("stream", (stream, headers) => {
    expect(headers).toMatchObject({ ":path": "/envoy.service.auth.v3.Authorization/Check", te: "trailers" });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("end", () => {
      seen.push(Buffer.concat(chunks));
      answer({
        message() {
          stream.respond(fields, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
          stream.end(framed(Buffer.from("yes")));
        },
        trailers: () => stream.respond({ ...fields, "grpc-status": 12 }, { endStream: true }),
        reset: () => stream.close(8),
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const messages = join(folderForThisTest(), "messages");
  writeFileSync(messages, Buffer.concat(MESSAGES.map(framed)));
  return { authz: `127.0.0.1:${(server.address() as AddressInfo).port}`, messages, seen };
}

test("a load in turn sends each message as often as any other, and no more calls than it was told", async () => {
  const { authz, messages, seen } = await serve(({ message }) => message());
  const figures = await runLoadInTurn({ authz, messages, requests: 1_000, connections: 4, streams: 64 });
  expect(Object.keys(figures)).toEqual(["callsPerSecond", "p50Us", "p99Us", "p999Us"]);
  expect(Object.values(figures).every((figure) => figure > 0)).toBe(true);
  const sorted = seen.toSorted(Buffer.compare);
  const expected = MESSAGES.map(framed).flatMap((message) => Array<Buffer>(10).fill(message));
  expect(Buffer.concat(sorted).equals(Buffer.concat(expected))).toBe(true);
});

test.each([
  ["an answer without a message", "trailers", "a call was answered without a message"],
  ["a call that is reset", "reset", "a call was cut off by a frame of type 3"],
] as const)("a load in turn fails at %s", async (_, how, why) => {
  const { authz, messages } = await serve((respond) => respond[how]());
  const load = runLoadInTurn({ authz, messages, requests: 10, connections: 1, streams: 2 });
  await expect(load).rejects.toMatchObject({ stderr: expect.stringContaining(why) });
});

test("a load in turn fails where its connection is closed", async () => {
  const { messages } = await serve(() => {});
  const closing = createTcpServer((socket) => socket.end());
  await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void closing.close());
  const authz = `127.0.0.1:${(closing.address() as AddressInfo).port}`;
  const load = runLoadInTurn({ authz, messages, requests: 10, connections: 1, streams: 2 });
  await expect(load).rejects.toMatchObject({ stderr: expect.stringContaining("0 of 10 calls were answered") });
});
