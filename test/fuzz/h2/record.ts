/**
 * `node test/fuzz/h2/record.ts NAME [PORT]`: writes down what clients say to 127.0.0.1:9000, until Ctrl-C, in
 * `test/fixtures/h2-sessions/NAME.txt`: the bytes of each connection as a line of base64. The same twice is written once.
 */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createUnaryServer } from "../../../src/h2/unary-server.ts";
import { SESSIONS_FOLDER } from "./sessions.ts";

/** What a longer session says behind it is more of the same. */
const MAX_SESSION_BYTES = 6_000;
const MAX_SESSIONS = 200;

const [name = "", port = "9000"] = process.argv.slice(2);
if (!/^[a-z0-9-]+$/.test(name)) {
  process.stderr.write("say under which name: node test/fuzz/h2/record.ts NAME [PORT]\n");
  process.exit(2);
}

/** A CheckResponse whose code is PERMISSION_DENIED, and a HealthCheckResponse that says SERVING. */
const [DENIED, SERVING] = [Buffer.from("0a020807", "hex"), Buffer.from("0801", "hex")];
const server = createUnaryServer({
  methods: new Map([
    ["/test.Echo/Echo", { handler: (message: Uint8Array) => message }],
    ["/envoy.service.auth.v3.Authorization/Check", { handler: () => DENIED }],
    ["/grpc.health.v1.Health/Check", { handler: () => SERVING }],
  ]),
});
const sessions = new Set<string>();
const listener = createServer({ noDelay: true }, (socket) => {
  let said = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]).subarray(0, MAX_SESSION_BYTES);
  });
  socket.once("close", () => sessions.add(said.toString("base64")));
  server.take(socket);
}).listen(Number(port), "127.0.0.1");

process.once("SIGINT", () => {
  listener.close();
  server.stop();
  // Each connection has been closed, and has told so, by then.
  setImmediate(() => {
    const lines = [...sessions].filter((line) => line !== "").slice(0, MAX_SESSIONS);
    writeFileSync(new URL(`${name}.txt`, SESSIONS_FOLDER), `${lines.join("\n")}\n`);
    process.stdout.write(`${lines.length} sessions of ${name}\n`);
  });
});
