import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { AUTHORIZATION, describeRequest } from "../support/check-client.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

const HEADERS = {
  ":method": "POST",
  ":path": `/${AUTHORIZATION}/Check`,
  "content-type": "application/grpc",
  te: "trailers",
};

/** A request as a gRPC message. */
function framed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** One check on this very connection: its gRPC status and whether it was let through. */
async function checkOn(session: ClientHttp2Session, secret: string) {
  const stream = session.request(HEADERS);
  let status: unknown;
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  stream.end(framed(describeRequest({ headers: [["x-api-key", secret]] })));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status, allowed: Buffer.concat(chunks).includes("allowed") };
}

function openTo(address: string): Socket {
  const [host = "", port] = address.split(":");
  const socket = connect(Number(port), host).on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

test("connections that say nothing keep no check waiting, however many there are", async () => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const silent = Array.from({ length: 200 }, () => openTo(keyward.authz));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  expect((await checkClientForThisTest(keyward.authz).present(secret)).reason).toBe("allowed");
});

test("a peer of the admin API that has sent one byte and waits keeps no call waiting", async () => {
  const keyward = await keywardForThisTest();
  const stuck = openTo(keyward.admin);
  await new Promise((resolve) => stuck.write("P", resolve));
  const others = Array.from({ length: 20 }, () => createKey(keyward.adminSocket));
  expect(await Promise.all(others)).toHaveLength(20);
  expect(stuck.destroyed).toBe(false);
});

test.each([
  ["HTTP/1.1", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["a preface with a letter changed", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"],
])("a peer that speaks %s is hung up on, and others are answered", async (_, bytes) => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(secret)).reason).toBe("allowed");
  const stranger = openTo(keyward.authz);
  stranger.resume().write(bytes, "latin1");
  await once(stranger, "close");
  expect((await client.present(secret)).reason).toBe("allowed");
  expect((await client.present(`${secret}0`)).reason).toBe("malformed_credential");
});

/**
 * Of 500 resets each: twice what nghttp2 bears by itself. The engine's budget is 5,000, of which each takes two: Node ends
 * the request before it resets it, so that it is a call without a message, too.
 */
const WAVES = 4;

test("thousands of checks that are reset as soon as they are sent do not end the connection under the others", async () => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const session = connectHttp2(`http://${keyward.authz}`);
  onTestFinished(() => session.destroy());
  const troubles: string[] = [];
  session.on("goaway", (code) => troubles.push(`GOAWAY ${code}`));
  session.on("error", (error) => troubles.push(error.message));

  for (let wave = 0; wave < WAVES; wave++) {
    const resets = Array.from({ length: 500 }, () => {
      const stream = session.request(HEADERS).on("error", () => {});
      const closed = once(stream, "close");
      stream.close(constants.NGHTTP2_CANCEL);
      return closed;
    });
    const among = checkOn(session, secret);
    await Promise.all(resets);
    expect(await among).toEqual({ status: "0", allowed: true });
  }
  expect(await checkOn(session, `${secret}0`)).toEqual({ status: "0", allowed: false });
  expect(troubles).toEqual([]);
});

test("more checks at once than Envoy ever has are all answered on one connection", async () => {
  const keyward = await keywardForThisTest();
  const { secret } = await createKey(keyward.adminSocket);
  const session = connectHttp2(`http://${keyward.authz}`);
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  const answers = await Promise.all(Array.from({ length: 5_000 }, () => checkOn(session, secret)));
  expect(answers.filter(({ status, allowed }) => status === "0" && allowed)).toHaveLength(5_000);
});
