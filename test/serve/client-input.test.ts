import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { AUTHORIZATION, type CheckClient, createCheckClient, describeRequest } from "../support/check-client.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { TRANSPORT } from "../support/transports.ts";

let keyward: Keyward;
let client: CheckClient;
let secret: string;

beforeAll(async () => {
  keyward = await startKeyward();
  client = createCheckClient(keyward.authz);
  ({ secret } = await createKey(keyward.adminSocket));
});

afterAll(async () => {
  client.close();
  await keyward.stop();
});

const MIB = 1024 * 1024;

/** A CheckRequest with the key in it, of so many bytes. */
function requestOf(bytes: number): Uint8Array {
  const bearer = ["authorization", `Bearer ${secret}`] as const;
  const sized = (filler: number) => describeRequest({ headers: [["x-filler", "x".repeat(filler)], bearer] });
  return sized(bytes - (sized(bytes).length - bytes));
}

test.each([
  ["an empty message", Buffer.alloc(0)],
  ["bytes that are no protobuf", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["two megabytes of nothing in particular", Buffer.alloc(2_000_000, 0xff)],
  ["a CheckRequest cut in the middle", describeRequest().subarray(0, 20)],
  ["a CheckRequest without a request", Buffer.from([0x0a, 0x00])],
])("%s is denied as malformed_request, and is no error of the call", async (_, bytes) => {
  const verdict = await client.checkBytes(bytes);
  expect(verdict).toMatchObject({ code: 7, answer: "denied", status: 400, reason: "malformed_request" });
});

test.each([
  ["2 MB", 2_000_000],
  ["exactly 4 MiB", 4 * MIB],
  ["more than 4 MiB", 4 * MIB + 1],
  ["8 MiB, the most that Envoy's limits on headers can make", 8 * MIB],
])("a message of %s is judged like any other", async (_, size) => {
  const bytes = requestOf(size);
  expect(bytes.length).toBe(size);
  expect(await client.checkBytes(bytes)).toMatchObject({ code: 0, answer: "ok", reason: "allowed" });
});

test("a large message without a key is denied as no_credential", async () => {
  const verdict = await client.check({ headers: [["x-filler", "x".repeat(4 * MIB)]] });
  expect(verdict).toMatchObject({ code: 16, answer: "denied", status: 401, reason: "no_credential" });
});

/** Envoy never compresses. grpc-js takes it where it comes; the engine says that it does not. */
const COMPRESSED = {
  h2: { trailers: "12", answer: "" },
  "grpc-js": { trailers: "0", answer: "allowed" },
};

test("a compressed message is judged or not implemented, and the answer is not compressed", async () => {
  const frame = (bytes: Uint8Array, compressed: number) => {
    const length = Buffer.alloc(5);
    length.writeUInt8(compressed, 0);
    length.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([length, bytes]);
  };
  const session = connect(`http://${keyward.authz}`);
  const stream = session.request({
    ":method": "POST",
    ":path": `/${AUTHORIZATION}/Check`,
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    "grpc-accept-encoding": "gzip",
    te: "trailers",
  });
  let encoding: unknown;
  let trailers: unknown;
  stream.on("response", (headers) => {
    encoding = headers["grpc-encoding"];
    // Where nothing else comes, they are the trailers too.
    trailers = headers["grpc-status"];
  });
  stream.on("trailers", (received) => {
    trailers = received["grpc-status"];
  });
  stream.end(frame(gzipSync(requestOf(1000)), 1));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  const bytes = Buffer.concat(chunks);
  const answer = bytes.includes("allowed") ? "allowed" : bytes.toString();
  expect({ trailers, answer }).toEqual(COMPRESSED[TRANSPORT]);
  expect([bytes[0] ?? 0, encoding ?? "identity"]).toEqual([0, "identity"]);
});

test.each([
  ["another method of the service", `/${AUTHORIZATION}/Chekc`],
  ["another service", "/envoy.service.auth.v2.Authorization/Check"],
  ["the admin API", "/keyward.admin.v1.KeyService/ListKeys"],
  ["the admin API's status", "/keyward.admin.v1.SystemService/GetStatus"],
])("%s is not implemented on the data plane", async (_, path) => {
  await expect(client.call(path, Buffer.alloc(0))).rejects.toMatchObject({ code: 12 });
});

test("long metadata beside a message does not keep it from being judged", async () => {
  const metadata = new Metadata();
  metadata.set("traceparent", "x".repeat(8_000));
  expect((await client.checkBytes(requestOf(500), metadata)).reason).toBe("allowed");
});
