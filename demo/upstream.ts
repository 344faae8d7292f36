import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

/** One request as the upstream received it: raw path with query, header names in lower case. */
export const received = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

export type Received = z.infer<typeof received>;

/** Starts a server on a free loopback port that answers each request with 200 and, as JSON, what it received. */
export async function startUpstream(): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { method = "", url: path = "", headers } = request;
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify({ method, path, headers }, undefined, 2)}\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
