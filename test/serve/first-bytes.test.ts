import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { onFirstBytes } from "../../src/serve/listeners/first-bytes.ts";

/** A pair of ends of one connection: what a server has, and what its client has. */
async function connected(): Promise<{ server: Socket; client: Socket }> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const client = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  const [server] = (await once(listener, "connection")) as [Socket];
  listener.close();
  onTestFinished(() => {
    client.destroy();
    server.destroy();
  });
  return { server, client };
}

test.each<[string, readonly string[]]>([
  ["all at once", ["PRI * HTTP/2.0"]],
  ["one by one", ["P", "R", "I", " * HTTP/2.0"]],
  ["two and the rest", ["PR", "I * HTTP/2.0"]],
  ["exactly so many", ["PRI"]],
])("the first bytes are seen when they come %s, and stay in the stream", async (_, parts) => {
  const { server, client } = await connected();
  const seen = Promise.withResolvers<string>();
  onFirstBytes(server, {
    isEnough: ({ length }) => length >= 3,
    use: (bytes) => seen.resolve(bytes.toString("latin1", 0, 3)),
  });
  client.setNoDelay();
  let sent = 0;
  for (const part of parts) {
    sent += part.length;
    await new Promise((resolve) => client.write(part, resolve));
    while (server.bytesRead < sent) await new Promise(setImmediate);
  }
  expect(await seen.promise).toBe("PRI");
  client.end();
  const rest: Buffer[] = [];
  for await (const chunk of server) rest.push(chunk as Buffer);
  expect(Buffer.concat(rest).toString()).toBe(parts.join(""));
});

test.each<[string, (client: Socket) => void]>([
  ["says nothing and goes", (client) => client.end()],
  ["is torn down", (client) => client.resetAndDestroy()],
  ["says too little and goes", (client) => client.end("PR")],
])("a peer that %s is never handed over", async (_, leave) => {
  const { server, client } = await connected();
  let handedOver = false;
  onFirstBytes(server, {
    isEnough: ({ length }) => length >= 3,
    use: () => {
      handedOver = true;
    },
  });
  const closed = new Promise((resolve) => server.once("close", resolve));
  leave(client);
  await closed;
  expect(handedOver).toBe(false);
});
