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
  "test/{e2e,table}/**/*.test.ts",
  `test/serve/{${OF_CONNECTIONS.join()},room,tls,unix-listener,traces}.test.ts`,
];

/** `npm test`: everything with the transport that is the default, and once more what goes over the other. */
export default defineConfig({
  test: {
    ...COMMON,
    projects: TRANSPORTS.map((transport, place) => ({
      extends: true as const,
      test: {
        name: transport,
        include: place === 0 ? ["test/**/*.test.ts"] : DATA_PLANE,
        // These need programs that npm does not bring: `npm run test:outside` and `npm run test:gateways`.
        exclude: ["test/outside/**", "test/gateways/**"],
        env: { [TRANSPORT_VARIABLE]: transport },
      },
    })),
  },
});
