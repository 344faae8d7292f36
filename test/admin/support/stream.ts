import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { socketPathOf, type Target } from "./http.ts";

/** What a streaming method has answered with, up to its first message that says something. */
interface StreamAnswer {
  /** 200 for a message, 400 for an error: a stream itself is always answered with 200. */
  status: number;
  headers: IncomingMessage["headers"];
  /** The message, or the error, as JSON. */
  body: string;
}

/** The flag of the last frame of a stream (Connect protocol, "Streaming-Response"). */
const END_STREAM = 2;

/** Calls a streaming method in JSON over HTTP/1.1, and hangs up after the first message that is not empty. */
export async function firstOfStream(
  target: Target,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: object,
): Promise<StreamAnswer> {
  const socketPath = socketPathOf(target);
  const where = socketPath === undefined ? new URL(`http://${target}`) : undefined;
  const agent = new Agent();
  const outgoing = request({
    ...(where === undefined ? { socketPath } : { host: where.hostname, port: where.port }),
    agent,
    path,
    method: "POST",
    headers: { ...headers, "content-type": "application/connect+json" },
  });
  try {
    const [response] = (await once(outgoing.end(framed(JSON.stringify(body))), "response")) as [IncomingMessage];
    let buffered = Buffer.alloc(0);
    for await (const chunk of response) {
      buffered = Buffer.concat([buffered, chunk as Buffer]);
      for (let frame = frameOf(buffered); frame !== undefined; frame = frameOf(buffered)) {
        buffered = buffered.subarray(frame.length);
        const { error } = JSON.parse(frame.text) as { error?: object };
        if (frame.flags === END_STREAM) return { status: 400, headers: response.headers, body: JSON.stringify(error) };
        if (frame.text !== "{}") return { status: 200, headers: response.headers, body: frame.text };
      }
    }
    throw new Error("the stream ended without a last frame");
  } finally {
    outgoing.destroy();
    agent.destroy();
  }
}

/** A flag byte, the length in four bytes, and the text. */
function framed(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

function frameOf(bytes: Buffer): { flags: number; text: string; length: number } | undefined {
  if (bytes.length < 5) return undefined;
  const length = 5 + bytes.readUInt32BE(1);
  if (bytes.length < length) return undefined;
  return { flags: bytes[0] ?? 0, text: bytes.toString("utf8", 5, length), length };
}
