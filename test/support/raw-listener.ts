import { once } from "node:events";
import { type AddressInfo, createServer, type ListenOptions } from "node:net";
import { onTestFinished } from "vitest";

/** Holds an address until the test is over, as any other program could, and returns its port. */
export async function holdAddress(options: ListenOptions): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(options);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const address = server.address() as AddressInfo | string;
  return typeof address === "string" ? 0 : address.port;
}
