// Makes calls with one message after the other, and around again, which h2load cannot: `node calls-in-turn.ts JSON`.
// Prints how long they took (LoadFigures, as JSON), and fails where one is not answered.

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { TurnLoad } from "../load-in-turn.ts";
import { percentile } from "../spread.ts";
import { CallingConnection, type Calls } from "../support/calling-connection.ts";

const { authz, messages: file, requests, connections, streams }: TurnLoad = JSON.parse(process.argv[2] ?? "");
const messages = split(readFileSync(file));
const durations: number[] = [];
let begun = 0;
let beganAtMs = 0;

const calls: Calls = {
  next() {
    if (begun === 0) beganAtMs = performance.now();
    return begun < requests ? messages[begun++ % messages.length] : undefined;
  },
  answered(microseconds) {
    durations.push(microseconds);
    if (durations.length < requests) return;
    const callsPerSecond = requests / ((performance.now() - beganAtMs) / 1_000);
    durations.sort((one, other) => one - other);
    const [p50Us, p99Us, p999Us] = [0.5, 0.99, 0.999].map((share) => percentile(durations, share));
    process.stdout.write(JSON.stringify({ callsPerSecond, p50Us, p99Us, p999Us }));
    for (const socket of sockets) socket.destroy();
  },
};

const [host, port] = authz.split(":");
const sockets = Array.from({ length: connections }, () => {
  const socket = connect(Number(port), host);
  new CallingConnection(socket, streams, calls);
  return socket.once("close", () => {
    if (durations.length < requests) throw new Error(`${durations.length} of ${requests} calls were answered`);
  });
});

/** Cuts what stands one behind the other: each message says its length in its prefix. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}
