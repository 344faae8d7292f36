import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { AUTHORIZATION } from "../support/check-client.ts";

/** Calls Check over a few connections in turn, at a fraction of what a gRPC client costs: the load shares the machine. */
export interface CheckCaller {
  /** Resolves to the serialized CheckResponse. Rejects where the call has any other end than gRPC's OK. */
  call(message: Buffer): Promise<Buffer>;
  close(): void;
}

const HEADERS = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: `/${AUTHORIZATION}/Check`,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  [constants.HTTP2_HEADER_TE]: "trailers",
};

/** gRPC's message prefix: one byte that says whether it is compressed, and four of its length. */
const PREFIX_BYTES = 5;

/** Puts gRPC's prefix before a serialized CheckRequest. */
export function asMessage(bytes: Uint8Array): Buffer {
  const message = Buffer.alloc(PREFIX_BYTES + bytes.length);
  message.writeUInt32BE(bytes.length, 1);
  message.set(bytes, PREFIX_BYTES);
  return message;
}

/** Connects to a gRPC data plane at `host:port`. */
export async function openCheckCaller(address: string, connections: number): Promise<CheckCaller> {
  const sessions = Array.from({ length: connections }, () => connect(`http://${address}`));
  await Promise.all(sessions.map((session) => once(session, "connect")));
  let turn = 0;
  return {
    call: (message) => {
      const session = sessions[turn++ % sessions.length];
      return session === undefined ? Promise.reject(new Error("no connection")) : callOver(session, message);
    },
    close: () => {
      for (const session of sessions) session.close();
    },
  };
}

function callOver(session: ClientHttp2Session, message: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stream = session.request(HEADERS);
  const parts: Buffer[] = [];
  let status: unknown;
  stream.on("response", (headers) => {
    status = headers["grpc-status"];
  });
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  stream.on("data", (part: Buffer) => parts.push(part));
  stream.on("error", reject);
  stream.on("close", () => {
    if (Number(status) === 0) resolve(Buffer.concat(parts).subarray(PREFIX_BYTES));
    else reject(new Error(`the call ended with gRPC status ${status}`));
  });
  stream.end(message);
  return promise;
}
