import { once } from "node:events";
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type { HttpRequest } from "../../src/check/http/request.ts";

/** What the forward-auth listener answers. */
export interface ForwardAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Asks the forward-auth listener at an address (`host:port`, or the path of a socket) on a connection of its own, or of an agent. */
export async function askForwardAuth(
  address: string,
  { method, url, rawHeaders }: Omit<HttpRequest, "dialect">,
  agent: Agent | false = false,
): Promise<ForwardAnswer> {
  const [host = "", port] = address.split(":");
  const where = port === undefined ? { socketPath: address } : { host, port };
  const hasHost = rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  const headers = [...(hasHost ? [] : ["host", "keyward"]), ...rawHeaders];
  const outgoing = request({ ...where, agent, method, path: url, headers });
  const [response] = (await once(outgoing.end(), "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}
