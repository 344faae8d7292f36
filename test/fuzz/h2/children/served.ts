/**
 * Two servers of `src/h2` in a program of their own, in the folder that is its argument: `patient.sock` with the limits
 * that are usual, and `impatient.sock` with limits so low that each is met. Who connects to `facts.sock` is told how they
 * are, as JSON; for who says something there, the garbage is collected before.
 */
import { createServer } from "node:net";
import { join } from "node:path";
import type { Limits } from "../../../../src/h2/limits.ts";
import type { Method } from "../../../../src/h2/method.ts";
import { createUnaryServer, type UnaryServer } from "../../../../src/h2/unary-server.ts";

const IMPATIENT: Partial<Limits> = {
  maxMessageBytes: 2_000,
  maxHeaderListBytes: 1_000,
  maxStreams: 4,
  maxConnections: 30,
  maxHeldBytes: 10_000,
  nuisanceBurst: 30,
  nuisancePerSecond: 10,
  frameTimeoutMs: 20,
  requestTimeoutMs: 10,
  stallTimeoutMs: 20,
  silenceMs: 20,
  pingTimeoutMs: 10,
  lingerMs: 5,
  maxAgeMs: 30,
};
const IMPATIENT_TICK_MS = 5;

/** Longer than a frame, and than the window that streams begin with. */
const LONG = Buffer.alloc(70_000, "long");
const EXPECTED = new Error("a handler that throws");

/** At the paths that the recorded clients ask for. */
const METHODS = new Map<string, Method>([
  ["/test.Echo/Echo", { handler: (message) => message, metadata: ["x-a"] }],
  ["/envoy.service.auth.v3.Authorization/Check", { handler: () => LONG }],
  [
    "/grpc.health.v1.Health/Check",
    {
      handler: () => {
        throw EXPECTED;
      },
    },
  ],
]);

const [folder = ""] = process.argv.slice(2);
const errors: string[] = [];
const servers = [serve("patient.sock", {}), serve("impatient.sock", IMPATIENT, IMPATIENT_TICK_MS)];

function serve(name: string, limits: Partial<Limits>, tickMs?: number): UnaryServer {
  const server = createUnaryServer({
    methods: METHODS,
    limits,
    ...(tickMs !== undefined && { tickMs }),
    onError: (error) => {
      if (error !== EXPECTED) errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    },
  });
  createServer((socket) => server.take(socket)).listen(join(folder, name));
  return server;
}

/** How they are. */
export interface Facts {
  /** Defects of the engine. */
  readonly errors: readonly string[];
  /** Of the patient server, and of the other. */
  readonly connections: readonly number[];
  readonly heldBytes: readonly number[];
  readonly calls: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

const facts = (): Facts => ({
  errors,
  connections: servers.map(({ connections }) => connections),
  heldBytes: servers.map(({ heldBytes }) => heldBytes),
  calls: servers.reduce((sum, { counters }) => sum + counters.calls, 0),
  residentBytes: process.memoryUsage.rss(),
  heapBytes: process.memoryUsage().heapUsed,
});

createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  socket.on("data", () => globalThis.gc?.());
  socket.on("end", () => socket.end(JSON.stringify(facts())));
}).listen(join(folder, "facts.sock"));
