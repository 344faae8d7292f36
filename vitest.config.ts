import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // These need programs that npm does not bring: `npm run test:outside` and `npm run test:gateways`.
    exclude: ["test/outside/**", "test/gateways/**"],
    // Real programs, sockets and disks: starting one takes a second on a busy machine. No test asserts a time.
    // Most of the time a test waits for programs that it has started: one core less, as is usual, would be one idle.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
