import { afterAll, beforeAll, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { until } from "../support/until.ts";
import { sendHttp1 } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";

let gateway: Gateway;
let envoy: EnvoyInFront;
let key: { id: string; secret: string };

beforeAll(async () => {
  gateway = await startGateway({
    config: 'routes:\n  - { path: /open, access: public }\n  - { path: "/**", scopes: [api:read] }\n',
  });
  envoy = await gateway.shipped();
  key = await createKey(gateway.keyward.adminSocket, { scopes: ["api:read"], paths: ["/v1"] });
});

afterAll(() => gateway.stop());

type Line = Record<string, unknown>;

async function lineOf(path: string): Promise<Line> {
  const lines = () =>
    envoy
      .accessLog()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  await until(`Envoy tells of ${path}`, () => lines().some((line) => line.path === path));
  return lines().find((line) => line.path === path) ?? {};
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}-/);

test("Envoy's access log tells of an allow whose key it was", async () => {
  await sendHttp1(envoy.port, { path: "/v1/allowed?api_key=x", secret: key.secret });
  expect(await lineOf("/v1/allowed")).toMatchObject({
    status: 200,
    key_id: key.id,
    reason: "allowed",
    decision_id: uuid,
  });
});

test("Envoy's access log tells of a denial whose key it was, and the id that the client was told", async () => {
  const { headers } = await sendHttp1(envoy.port, { path: "/v2/denied", secret: key.secret });
  expect(await lineOf("/v2/denied")).toMatchObject({
    status: 403,
    details: "ext_authz_denied",
    key_id: key.id,
    reason: "path_not_allowed",
    decision_id: headers["x-keyward-decision-id"],
  });
});

test.each([
  ["/v1/nobody", 401, "no_credential"],
  ["/open", 200, "public"],
])("Envoy's access log names no key for %s", async (path, status, reason) => {
  await sendHttp1(envoy.port, { path });
  expect(await lineOf(path)).toMatchObject({ status, key_id: null, reason, decision_id: uuid });
});

test("Envoy's access log and Keyward's log hold no secret", async () => {
  await sendHttp1(envoy.port, { path: `/v1/secret?api_key=${key.secret}`, secret: key.secret });
  await lineOf("/v1/secret");
  const body = key.secret.slice(12, 40);
  expect([envoy.accessLog().includes(body), gateway.keyward.log().includes(body)]).toEqual([false, false]);
});
