import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type Received, received } from "./upstream.ts";

export interface Request {
  method?: string;
  /** Sent byte for byte. Node's http does that; `fetch` would tidy the path first. */
  path: string;
  /** Goes out as `Authorization: Bearer …`. */
  secret?: string | undefined;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  /** Keyward's reason for refusing; `allowed`; or `refused by Envoy`, which gave its answer without asking Keyward. */
  reason: string;
  /** What reached the upstream; absent when the request was refused. */
  seen?: Received;
}

/** Sends one request to Envoy on this loopback port and returns who answered what. */
export async function send(port: number, { method = "GET", path, secret, headers }: Request): Promise<Answer> {
  const credential = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const outgoing = request({ host: "127.0.0.1", port, method, path, headers: { ...headers, ...credential } });
  const [response] = (await once(outgoing.end(), "response")) as [IncomingMessage];
  const status = response.statusCode ?? 0;
  const body = await text(response);
  const reason = response.headers["x-keyward-reason"];
  if (typeof reason === "string") return { status, reason };
  if (status !== 200) return { status, reason: "refused by Envoy" };
  return { status, reason: "allowed", seen: received.parse(JSON.parse(body)) };
}
