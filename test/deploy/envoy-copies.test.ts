import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream } from "../../demo/upstream.ts";
import { sendHttp1 } from "../e2e/support/client.ts";
import { type Envoy, startEnvoy, validateEnvoyConfig } from "../support/envoy.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { COPIES, copyText } from "./envoy-copies.ts";
import { DEPLOY } from "./support/manifests.ts";

describe.each(["envoy/envoy.yaml", ...COPIES.map(({ path }) => path)])("deploy/%s", (path) => {
  test("is a configuration with which Envoy would start", async () => {
    await expect(validateEnvoyConfig(DEPLOY + path)).resolves.toBe(undefined);
  });
});

describe.each(COPIES)("deploy/$path", (copy) => {
  const text = () => readFileSync(DEPLOY + copy.path, "utf8");

  test("is the shipped configuration with other addresses (else: node test/deploy/envoy-copies.ts)", () => {
    expect(text()).toBe(copyText(copy));
  });

  let keyward: Keyward;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let envoy: Envoy;
  let secret: string;
  beforeAll(async () => {
    upstream = await startUpstream();
    keyward = await startKeyward();
    const { stdout } = await keyward.cli("keys", "create", "--name", "ci", "-q");
    secret = stdout.trim();
    envoy = await startEnvoy({ config: onThisMachine(text(), keyward.authz, upstream.port) });
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

/** The configuration with the names of another network replaced by ports of this machine. */
function onThisMachine(text: string, authz: string, upstreamPort: number): string {
  const authzPort = authz.split(":")[1];
  return text
    .replace("address: 0.0.0.0, port_value: 8080", "address: 127.0.0.1, port_value: 0")
    .replace(/address: [\w.-]+, port_value: 9000/, `address: 127.0.0.1, port_value: ${authzPort}`)
    .replace(/address: [a-z][\w.-]*, port_value: \d+/, `address: 127.0.0.1, port_value: ${upstreamPort}`);
}
