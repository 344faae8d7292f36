import { defineConfig } from "vitest/config";
import { COMMON } from "./vitest.config.ts";

/** The tests that need programs which npm does not bring: zsh, fish, bubblewrap, kubectl, Go, openssl, Prometheus, h2load, nghttp, nginx, strace, Python with `requests` and `grpcio`. `.ci/run` installs them. */
export default defineConfig({
  test: { ...COMMON, include: ["test/outside/**/*.test.ts"] },
});
