// The other floor of the benchmark: `node:http2` that reads a call to its end and answers the same message.

import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { constantAnswer, tellServing } from "./constant.ts";

const message = constantAnswer();
const framed = Buffer.concat([Buffer.alloc(5), message]);
framed.writeUInt32BE(message.length, 1);
const server = createServer();
server.on("stream", (stream) => {
  stream.on("end", () => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(framed);
  });
  stream.on("error", () => {});
  stream.resume();
});
server.listen(0, "127.0.0.1", () => tellServing((server.address() as AddressInfo).port));
