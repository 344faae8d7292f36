import { once } from "node:events";
import { statSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { CLIENTS } from "./support/clients.ts";
import { openSocket, sendHttp1, sendHttp2 } from "./support/http.ts";
import { refusedOfJson } from "./support/refused.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, listKeys } = KeyService.method;

/** Whatever a peer does, the others are served. */
afterEach(async () => {
  await expect(served().local.call(listKeys, { pageSize: 1 })).resolves.toBeDefined();
});

describe.each([
  ["the network", () => served().keyward.admin],
  ["the local socket", () => served().socket],
])("on %s", (_, target) => {
  const exchange = (bytes: string) => exchangeWith(target(), bytes);

  test.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["TLS", "\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1\u0003\u0003"],
    ["a header without its colon", "GET / HTTP/1.1\r\nhost\r\n\r\n"],
    ["a length that is no number", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n"],
    [
      "two ways to tell the length",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a beginning like that of HTTP/2", "PRI * HTTP/1.1\r\nhost: a\r\n\r\n"],
  ])("what is malformed is answered with 400 and closed: %s", async (_, bytes) => {
    expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  test("headers that are too large are answered with 431 and closed", async () => {
    const answer = await exchange(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("a request that comes byte by byte is answered", async () => {
    const socket = openSocket(target()).setNoDelay(true);
    const head = "POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    for (const byte of `${head}content-length: 2\r\nconnection: close\r\n\r\n{}`) await written(socket, byte);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\{"status":"SERVING"\}$/s);
  });

  test("a connection that closes at once harms nobody", async () => {
    const socket = openSocket(target());
    await once(socket, "connect");
    socket.destroy();
  });

  test("what is not served is not found", async () => {
    for (const path of ["/", "/keyward.admin.v1.KeyService/DropKey", "/keyward.admin.v1.KeyServic/GetKey"]) {
      const request = { path, headers: { "content-type": "application/json" }, body: "{}" };
      expect((await sendHttp1(target(), request)).status).toBe(404);
      expect((await sendHttp2(target(), request)).status).toBe(404);
    }
  });

  test.each([
    ["GET", "GET", "application/json", 405],
    ["a content type that is not served", "POST", "text/plain", 415],
  ])("%s is refused by the standard's status", async (_, method, type, status) => {
    const path = "/keyward.admin.v1.KeyService/ListKeys";
    const request = { path, method, headers: { "content-type": type } };
    expect((await sendHttp1(target(), request)).status).toBe(status);
  });
});

describe("a request", () => {
  const MIB = 1024 * 1024;
  const path = "/keyward.admin.v1.KeyService/CreateKey";
  const bodyOf = (bytes: number) => `{"name":"${"x".repeat(bytes - '{"name":""}'.length)}"}`;

  test.each([
    ["HTTP/1.1", sendHttp1],
    ["HTTP/2", sendHttp2],
  ])("of 1 MiB over %s is read, and a byte more is too much", async (_, send) => {
    const headers = { "content-type": "application/json" };
    const read = await send(served().socket, { path, headers, body: bodyOf(MIB) });
    expect(refusedOfJson(read.body)).toMatchObject({ code: "invalid_argument", fields: ["name"] });
    const refused = await send(served().socket, { path, headers, body: bodyOf(MIB + 1) });
    expect(refused.status).toBe(429);
    expect(refusedOfJson(refused.body).code).toBe("resource_exhausted");
  });

  test("that unpacks to 1 MiB is read, and one that unpacks to a byte more is too much", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const read = await sendHttp1(served().socket, { path, headers, body: gzipSync(bodyOf(MIB)) });
    expect(refusedOfJson(read.body)).toMatchObject({ code: "invalid_argument", fields: ["name"] });
    const refused = await sendHttp1(served().socket, { path, headers, body: gzipSync(bodyOf(MIB + 1)) });
    expect(refusedOfJson(refused.body).code).toBe("resource_exhausted");
  });

  test.each(["gRPC of grpc-js", "gRPC-Web over HTTP/1.1"])("that is too large is refused over %s", async (name) => {
    const client = CLIENTS[name]?.(served().socket) ?? served().network;
    try {
      await expect(client.call(createKey, { name: "x".repeat(MIB) })).rejects.toMatchObject({
        code: "resource_exhausted",
      });
    } finally {
      client.close();
    }
  });
});

test("a connection that stays silent is closed, at its beginning or within the preface of HTTP/2", async () => {
  const targets = [served().keyward.admin, served().socket];
  const silent = targets.flatMap((target) =>
    ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n"].map((bytes) => exchangeWith(target, bytes)),
  );
  expect(await Promise.all(silent)).toEqual(Array(6).fill(""));
});

test("both versions of HTTP are spoken on one port", async () => {
  const request = { path: "/grpc.health.v1.Health/Check", headers: { "content-type": "application/json" }, body: "{}" };
  const answers = [await sendHttp1(served().keyward.admin, request), await sendHttp2(served().keyward.admin, request)];
  expect(answers).toMatchObject(Array(2).fill({ status: 200, body: '{"status":"SERVING"}' }));
});

test("one HTTP/2 connection carries many calls at once", async () => {
  const session = connectHttp2("http://admin", { createConnection: () => openSocket(served().socket) });
  try {
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const headers = {
          ":method": "POST",
          ":path": "/grpc.health.v1.Health/Check",
          "content-type": "application/json",
        };
        const stream = session.request(headers).end("{}");
        return text(stream);
      }),
    );
    expect(new Set(statuses)).toEqual(new Set(['{"status":"SERVING"}']));
  } finally {
    session.close();
  }
});

test("the local socket is a socket that only its user may open", () => {
  const stats = statSync(served().keyward.adminSocket);
  expect([stats.isSocket(), stats.mode & 0o777]).toEqual([true, 0o600]);
});

/** Sends bytes and returns what came back until the other side closed. */
async function exchangeWith(target: string, bytes: string): Promise<string> {
  const socket = openSocket(target);
  socket.write(bytes);
  return text(socket);
}

async function written(socket: Socket, bytes: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  return promise;
}
