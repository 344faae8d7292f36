import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { type Received, received } from "../../../demo/upstream.ts";

/** A request as a client sends it, byte for byte. A header that stands twice is sent twice. */
export interface ClientRequest {
  method?: string;
  path?: string;
  headers?: readonly (readonly [name: string, value: string])[];
  /** The first `Host` over HTTP/1.1; `api.test` where nothing is said. */
  host?: string;
  /** Goes out as `Authorization: Bearer …`. */
  secret?: string;
  /** The loopback address that it comes from; 127.0.0.1 where nothing is said. */
  from?: string;
}

/** What the client got for it. */
export interface ClientAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Keyward's reason for refusing, if it was Keyward. */
  reason: string | undefined;
  /** What the upstream received; absent where the request did not get there, and after HEAD, which gets no body. */
  seen?: Received;
}

/** Sends a request to a loopback port in one version of HTTP. */
export type Send = (port: number, request: ClientRequest) => Promise<ClientAnswer>;

export const sendHttp1: Send = async (port, asked) => {
  const { method = "GET", path = "/", host = "api.test", headers = [], secret, from } = asked;
  const outgoing = request({
    host: "127.0.0.1",
    localAddress: from,
    port,
    method,
    path,
    agent: false,
    headers: ["host", host, ...withSecret(headers, secret).flat()],
  });
  const [response] = (await once(outgoing.end(), "response")) as [IncomingMessage];
  return answerOf(response.statusCode ?? 0, response.headers, await text(response));
};

export const sendHttp2: Send = async (port, { method = "GET", path = "/", headers = [], secret, from }) => {
  const createConnection = () => connectTcp({ host: "127.0.0.1", port, localAddress: from });
  const session = connect(`http://127.0.0.1:${port}`, { createConnection });
  try {
    const fields: Record<string, string | string[]> = {};
    for (const [name, value] of withSecret(headers, secret)) {
      const lower = name.toLowerCase();
      const before = fields[lower] ?? [];
      fields[lower] = [...(Array.isArray(before) ? before : [before]), value];
    }
    const stream = session.request({ ":method": method, ":path": path, ":authority": "api.test", ...fields });
    const [head] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status"?: number }];
    const { ":status": status = 0, ...rest } = head;
    return answerOf(status, rest, await text(stream));
  } finally {
    session.destroy();
  }
};

function withSecret(headers: NonNullable<ClientRequest["headers"]>, secret: string | undefined) {
  return secret === undefined ? headers : [...headers, ["authorization", `Bearer ${secret}`] as const];
}

function answerOf(status: number, headers: IncomingHttpHeaders, body: string): ClientAnswer {
  const told = headers["x-keyward-reason"];
  const reason = typeof told === "string" ? told : undefined;
  const common = { status, headers, body, reason };
  return status === 200 && body !== "" ? { ...common, seen: received.parse(JSON.parse(body)) } : common;
}
