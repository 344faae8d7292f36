import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream } from "../../demo/upstream.ts";
import { sendHttp1 } from "../e2e/support/client.ts";
import { type Envoy, startEnvoy, validateEnvoyConfig } from "../support/envoy.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { COPIES, copyText } from "./envoy-copies.ts";
import { DEPLOY } from "./support/manifests.ts";
import { onThisMachine } from "./support/on-this-machine.ts";

/** The others need certificates: envoy-tls.test.ts. */
const plain = COPIES.filter(({ tls }) => !tls);

describe.each(["envoy/envoy.yaml", ...plain.map(({ path }) => path)])("deploy/%s", (path) => {
  test("is a configuration with which Envoy would start", async () => {
    await expect(validateEnvoyConfig(DEPLOY + path)).resolves.toBe(undefined);
  });
});

test.each(COPIES)(
  "deploy/$path is the shipped one with other addresses (else: node test/deploy/envoy-copies.ts)",
  (copy) => {
    expect(readFileSync(DEPLOY + copy.path, "utf8")).toBe(copyText(copy));
  },
);

describe.each(plain)("deploy/$path", ({ path }) => {
  let keyward: Keyward;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let envoy: Envoy;
  let secret: string;
  beforeAll(async () => {
    upstream = await startUpstream();
    keyward = await startKeyward();
    const { stdout } = await keyward.cli("keys", "create", "--name", "ci", "-q");
    secret = stdout.trim();
    envoy = await startEnvoy({
      config: onThisMachine(readFileSync(DEPLOY + path, "utf8"), keyward.authz, upstream.port),
    });
  });
  afterAll(async () => {
    await envoy?.stop();
    await keyward?.stop();
    await upstream?.stop();
  });
  const get = (headers: readonly (readonly [string, string])[] = [], presented = secret) =>
    sendHttp1(envoy.port("ingress"), { path: "/v1/orders", secret: presented, headers });

  test("lets a key through", async () => {
    expect(await get()).toMatchObject({ status: 200, seen: { path: "/v1/orders" } });
  });

  test("refuses a key that is mistyped in one character", async () => {
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    const answer = await get([], mistyped);
    expect(answer).toMatchObject({ status: 401, reason: "malformed_credential" });
    expect(answer).not.toHaveProperty("seen");
  });

  test("takes the client's own identity headers away", async () => {
    const answer = await get([["x-keyward-owner", "user/root"]]);
    expect(answer).toMatchObject({ status: 200, seen: { headers: { "x-keyward-key-id": expect.any(String) } } });
    expect(answer.seen?.headers).not.toHaveProperty("x-keyward-owner");
  });
});
