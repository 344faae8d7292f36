import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * Returns `count` different loopback TCP ports that nobody held a moment ago. For programs that have to be told their
 * port; whatever can listen on port 0 and say what it got should do that instead, since another process may take a
 * port between this answer and its use. All are held at once before any is given back, so none comes twice.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
