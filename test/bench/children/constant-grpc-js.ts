// The floor of the benchmark: `@grpc/grpc-js` with bytes in and the same bytes out for every call.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { CHECK_PATH, constantAnswer, tellServing } from "./constant.ts";

const answer = constantAnswer();
const bytes = (message: Buffer) => message;
const server = new Server({ "grpc.enable_channelz": 0 });
server.addService(
  {
    Check: {
      path: CHECK_PATH,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  },
  { Check: (_: unknown, respond: (error: null, response: Buffer) => void) => respond(null, answer) },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  tellServing(port);
});
