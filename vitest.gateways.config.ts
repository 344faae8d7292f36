import { defineConfig } from "vitest/config";
import { COMMON } from "./vitest.config.ts";

/** The tests that need the gateways: nginx, Caddy and HAProxy of Debian, Traefik through pip. `.ci/run` installs them. */
export default defineConfig({
  // Traefik waits 30 seconds for a Keyward that says nothing, and cannot be told otherwise.
  test: { ...COMMON, include: ["test/gateways/**/*.test.ts"], testTimeout: 120_000 },
});
