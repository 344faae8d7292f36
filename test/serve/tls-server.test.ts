import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import type { HandshakeFailure } from "../../src/observe/handshake-failures.ts";
import { createTlsServer, renew } from "../../src/serve/listeners/tls-server.ts";
import { createAuthority } from "../support/certificates.ts";
import { until } from "../support/until.ts";

const authority = createAuthority();
const stranger = createAuthority("a stranger");
const server = authority.issue();
const client = authority.issue();

function material(clientCa?: string) {
  return { cert: server.cert, key: server.key, clientCa, validFromMs: 0, validToMs: 0 };
}

/** A server that writes one byte to whom it takes, and what has become of its connections. */
async function serverForThisTest(clientCa?: string) {
  const seen: ("resumed" | "new" | HandshakeFailure)[] = [];
  const onFailure = (failure: HandshakeFailure) => void seen.push(failure);
  const listening = createTlsServer({ material: material(clientCa), protocols: ["h2"], onFailure }, {}, (socket) => {
    seen.push((socket as TLSSocket).isSessionReused() ? "resumed" : "new");
    socket.on("error", () => {}).write("x");
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  onTestFinished(() => void listening.close());
  return { listening, seen, port: (listening.address() as AddressInfo).port };
}

function socketForThisTest<Kind extends Socket>(socket: Kind): Kind {
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}).resume();
  return socket;
}

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a session is not resumed past a renewal of the authorities: %s",
  async (version) => {
    const { listening, seen, port } = await serverForThisTest(authority.cert);
    let session: Buffer | undefined;
    const connectAgain = async () => {
      const { length } = seen;
      const own = {
        ca: authority.cert,
        cert: client.cert,
        key: client.key,
        ALPNProtocols: ["h2"],
        maxVersion: version,
      };
      const socket = socketForThisTest(connectTls({ port, host: "127.0.0.1", ...own, ...(session && { session }) }));
      socket.on("session", (told) => {
        session = told;
      });
      await until("it was judged, and can be resumed", () => seen.length > length && session !== undefined);
      socket.destroy();
    };
    await connectAgain();
    await connectAgain();
    renew(listening, material(stranger.cert));
    await connectAgain();
    expect(seen).toEqual(["new", "resumed", "bad_client_certificate"]);
  },
);

test("of a thousand and one handshakes that come to nothing the oldest gives way, and a good one is made", async () => {
  const { seen, port } = await serverForThisTest();
  const open = () => socketForThisTest(connect(port, "127.0.0.1"));
  const first = open();
  await once(first, "connect");
  const others = Array.from({ length: 999 }, open);
  await until("all are there", () => others.every((socket) => socket.readyState === "open"));
  const good = socketForThisTest(connectTls({ port, host: "127.0.0.1", ca: authority.cert, ALPNProtocols: ["h2"] }));
  await until("the good one is taken", () => seen.includes("new"));
  await until("the oldest is gone", () => first.destroyed);
  expect([good.destroyed, others.some((socket) => socket.destroyed)]).toEqual([false, false]);
});
