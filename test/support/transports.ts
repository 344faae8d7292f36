/** Who may speak HTTP/2 on the data plane. vitest.config.ts runs whatever goes over it once on each of them. */
export const TRANSPORTS = ["h2", "grpc-js"] as const;

type Transport = (typeof TRANSPORTS)[number];

/** In the environment of the tests: on which of them they run. */
export const TRANSPORT_VARIABLE = "KEYWARD_TEST_TRANSPORT";

/** The transport of the Keywards that `startKeyward` starts in this run. */
export const TRANSPORT: Transport =
  TRANSPORTS.find((name) => name === process.env[TRANSPORT_VARIABLE]) ?? TRANSPORTS[0];
