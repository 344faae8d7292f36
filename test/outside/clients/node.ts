import { connect } from "node:http2";
import { Client, credentials } from "@grpc/grpc-js";

const METHOD = "/test.Echo/Echo";
const CALLERS = 20;
const CALLS = 30;

/** Numbers from a seed (mulberry32): who knows it can have the same bodies again. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Which bodies are echoed: drawn from the seed, of so many bytes at the most. */
export interface Bodies {
  readonly seed: number;
  readonly maxBytes: number;
}

/** A body of which no two are alike; small ones are as likely as large ones. */
function bodyOf(chance: () => number, maxBytes: number): Buffer {
  const length = Math.floor(chance() * (maxBytes + 1)) >>> Math.floor(chance() * 18);
  const seed = Math.floor(chance() * 2 ** 32);
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (Math.imul(index + 1, 0x9e3779b1) ^ seed) >>> 24));
}

/** Has so many callers at once echo bodies, and compares them. */
async function echoMany({ seed, maxBytes }: Bodies, echo: (body: Buffer) => Promise<Buffer>): Promise<void> {
  const caller = async (_: unknown, number: number) => {
    const chance = chanceOf(seed + number);
    for (let call = 0; call < CALLS; call++) {
      const body = bodyOf(chance, maxBytes);
      const answer = await echo(body);
      if (!answer.equals(body)) throw new Error(`seed ${seed}: an echo of ${body.length} bytes is another`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** 600 echoes with grpc-js, with TLS where an authority is given. */
export async function echoThroughGrpcJs(address: string, authority: Buffer | undefined, bodies: Bodies): Promise<void> {
  const channel = authority === undefined ? credentials.createInsecure() : credentials.createSsl(authority);
  const client = new Client(address, channel, { "grpc.use_local_subchannel_pool": 1 });
  const same = (bytes: Buffer) => bytes;
  try {
    await echoMany(bodies, (body) => {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      client.makeUnaryRequest(METHOD, same, same, body, (error, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error("no answer")),
      );
      return promise;
    });
  } finally {
    client.close();
  }
}

/** 600 echoes with `node:http2`, on one connection. */
export async function echoThroughHttp2(url: string, bodies: Bodies): Promise<void> {
  const session = connect(url);
  try {
    await echoMany(bodies, async (body) => {
      const headers = { ":method": "POST", ":path": METHOD, "content-type": "application/grpc", te: "trailers" };
      const stream = session.request(headers);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(body.length, 1);
      stream.end(Buffer.concat([prefix, body]));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).subarray(prefix.length);
    });
  } finally {
    session.close();
  }
}
