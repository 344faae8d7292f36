import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Real programs, sockets and disks: starting one takes a second on a busy machine. No test asserts a time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
