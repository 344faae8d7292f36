import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendHttp1 } from "./support/client.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

const FIXTURES = new URL("../fixtures/import/", import.meta.url);

/** Keys that the library better-auth has made, by their names. */
const betterAuth = JSON.parse(readFileSync(new URL("better-auth-secrets.json", FIXTURES), "utf8"));

const SHA512 = "legacy/known+by=its~SHA-512";

let gateway: Gateway;
let port: number;

beforeAll(async () => {
  gateway = await startGateway({
    config: `credentials: [{ from: bearer }, { from: header, name: x-api-key }, { from: query, name: api_key }]
routes:
  - { path: /orders, scopes: [orders:write] }
  - { path: "/v1/**", access: authenticated }
`,
  });
  ({ port } = await gateway.shipped());
  const { folder, cli } = gateway.keyward;
  const table = join(folder, "keys.csv");
  writeFileSync(table, `hash,name\n${createHash("sha512").update(SHA512).digest("base64")},x\n`);
  const apikey = fileURLToPath(new URL("better-auth-apikey.json", FIXTURES));
  for (const [file, from] of [
    [apikey, "better-auth"],
    [table, "sha256-hex"],
  ] as const) {
    const { code, stderr } = await cli("keys", "import", file, "--from", from);
    if (code !== 0) throw new Error(stderr);
  }
});
afterAll(() => gateway.stop());

const changed = (secret: string) => `${secret.slice(0, -1)}${secret.endsWith("a") ? "b" : "a"}`;

describe.each(VERSIONS)("through the shipped Envoy, over %s, keys of better-auth", (_, send) => {
  test.each<[string, string, string, readonly [number, string | undefined]]>([
    ["open as they did", "without limit", "/v1/x", [200, undefined]],
    ["open what their permissions are", "ci, the pipeline", "/orders", [200, undefined]],
    ["do not open what they have no permission for", "without limit", "/orders", [403, "insufficient_scope"]],
    ["do not open where they were switched off", "switched off", "/v1/x", [401, "key_disabled"]],
  ])("%s", async (_title, name, path, expected) => {
    const secret = betterAuth[name];
    const { status, reason, seen } = await send(port, { path, secret });
    expect([status, reason]).toEqual(expected);
    expect(JSON.stringify(seen ?? "")).not.toContain(secret);
    const other = await send(port, { path, secret: changed(secret) });
    expect([other.status, other.reason]).toEqual([401, "unknown_key"]);
  });
});

test("a key that is known by its SHA-512 opens wherever keys are presented, and is taken out there", async () => {
  const query = encodeURIComponent(SHA512);
  for (const request of [
    { path: "/v1/x", secret: SHA512 },
    { path: "/v1/x", headers: [["x-api-key", SHA512]] as const },
    { path: `/v1/x?api_key=${query}` },
  ]) {
    const { status, seen } = await sendHttp1(port, request);
    expect([status, JSON.stringify(seen).includes("known")]).toEqual([200, false]);
  }
  expect((await sendHttp1(port, { path: "/v1/x", secret: changed(SHA512) })).reason).toBe("unknown_key");
});
