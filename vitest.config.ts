import { defineConfig } from "vitest/config";
import { TRANSPORT_VARIABLE, TRANSPORTS } from "./test/support/transports.ts";

/** What all tests have in common. */
export const COMMON = {
  // Real programs, sockets and disks: starting one takes a second on a busy machine. No test asserts a time.
  // Most of the time a test waits for programs that it has started: one core less, as is usual, would be one idle.
  maxWorkers: "100%",
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** The tests of `test/serve` whose subject is what HTTP/2 carries, and how connections begin and end. */
const OF_CONNECTIONS = [
  "check-threads",
  "client-input",
  "connections",
  "crossing",
  "health",
  "shutdown",
  "thread-death",
];

/** What holds whoever speaks HTTP/2 on the data plane. All that concerns it at a distance would double the time. */
const DATA_PLANE = [
  "test/{e2e,model,table}/**/*.test.ts",
  "test/faults/faults.test.ts",
  `test/serve/{${OF_CONNECTIONS.join()},room,tls,unix-listener,traces}.test.ts`,
];

const EVERYTHING = ["test/**/*.test.ts"];

/** On each of these what stands beside it: everything on the default, and on the other what goes over it. */
const USUAL = TRANSPORTS.map((name, place) => [name, place ? DATA_PLANE : EVERYTHING] as const);

/** What the environment names: everything, on that alone. */
const asked = process.env[TRANSPORT_VARIABLE];
const runs =
  asked === undefined ? USUAL : TRANSPORTS.filter((name) => name === asked).map((name) => [name, EVERYTHING] as const);
if (runs.length === 0) throw new Error(`${TRANSPORT_VARIABLE}=${asked} must be one of ${TRANSPORTS.join(", ")}`);

/** `npm test`. */
export default defineConfig({
  test: {
    ...COMMON,
    projects: runs.map(([transport, include]) => ({
      extends: true as const,
      test: {
        name: transport,
        include: [...include],
        // These need programs that npm does not bring: `npm run test:outside` and `npm run test:gateways`.
        exclude: ["test/outside/**", "test/gateways/**"],
        env: { [TRANSPORT_VARIABLE]: transport },
      },
    })),
  },
});
