import { once } from "node:events";
import { connect } from "node:http2";
import { onTestFinished } from "vitest";
import { AUTHORIZATION } from "./check-client.ts";

/** A check of which the server has the first half. */
export interface HalfCheck {
  /** Sends the rest and resolves to the answer's gRPC status and bytes. */
  finish(): Promise<{ status: string; answer: Buffer }>;
}

/** Begins a check on a connection of its own and resolves once the server has seen its beginning. */
export async function beginCheck(address: string, request: Uint8Array): Promise<HalfCheck> {
  const session = connect(`http://${address}`).on("error", () => {});
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": `/${AUTHORIZATION}/Check`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  const head = Buffer.alloc(5);
  head.writeUInt32BE(request.length, 1);
  stream.write(Buffer.concat([head, request.subarray(0, 10)]));
  // Frames are taken in order: the answer to a ping says that what was sent before it has arrived.
  await once(session, "connect");
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
  return {
    async finish() {
      let status = "";
      stream.on("trailers", (trailers) => {
        status = String(trailers["grpc-status"]);
      });
      stream.end(request.subarray(10));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return { status, answer: Buffer.concat(chunks) };
    },
  };
}
