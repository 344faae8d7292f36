import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** Where an admin API listens: `host:port`, or `unix:` and a path. */
export type Target = string;

/** An HTTP answer as it came. */
interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What is sent. The method is POST unless told. */
export interface HttpRequest {
  path: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** The address from which it is sent, where that counts: any of 127.0.0.0/8. */
  from?: string;
  /** Whose connection is used, over HTTP/1.1; else it is one of its own. */
  agent?: Agent;
}

/** Sends one request over HTTP/1.1. */
export async function sendHttp1(target: Target, options: HttpRequest) {
  const { path, method = "POST", headers = {}, body, from } = options;
  const socketPath = socketPathOf(target);
  const own = from === undefined ? {} : { localAddress: from };
  const where = socketPath === undefined ? { ...addressOf(target), ...own } : { socketPath };
  // Kept open until the answer is read: a server that closes while the body is still on its way takes the answer along.
  const agent = options.agent ?? new Agent({ keepAlive: true });
  try {
    const outgoing = request({ ...where, agent, path, method, headers }).end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const { statusCode = 0, headers: answered } = response;
    return { status: statusCode, headers: answered, body: await text(response) } satisfies HttpAnswer;
  } finally {
    if (options.agent === undefined) agent.destroy();
  }
}

/** Sends one request over cleartext HTTP/2 with prior knowledge, on a connection of its own. */
export async function sendHttp2(target: Target, { path, method = "POST", headers, body }: HttpRequest) {
  const session = connectHttp2("http://admin", { createConnection: () => openSocket(target) });
  try {
    const stream = session.request({ ...headers, ":path": path, ":method": method });
    stream.end(body);
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status"?: number }];
    return { status: answer[":status"] ?? 0, headers: answer, body: await text(stream) } satisfies HttpAnswer;
  } finally {
    session.close();
  }
}

/** Opens a bare connection. */
export function openSocket(target: Target) {
  const path = socketPathOf(target);
  return path === undefined ? connect(addressOf(target)) : connect(path);
}

/** The path of a `unix:` target; undefined for `host:port`. */
export function socketPathOf(target: Target): string | undefined {
  return target.startsWith("unix:") ? target.slice("unix:".length) : undefined;
}

function addressOf(target: Target): { host: string; port: number } {
  const { hostname, port } = new URL(`http://${target}`);
  return { host: hostname, port: Number(port) };
}
