import { describe, expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import { sendHttp1 } from "./support/client.ts";
import { startGateway } from "./support/gateway.ts";

async function gatewayForThisTest(...options: Parameters<typeof startGateway>) {
  const gateway = await startGateway(...options);
  onTestFinished(() => gateway.stop());
  return gateway;
}

const secret = secretOf("nobody's");

describe("when Keyward is gone", () => {
  test("the shipped Envoy lets nothing through, and says 503", async () => {
    const gateway = await gatewayForThisTest();
    const { port } = await gateway.shipped();
    const key = await createKey(gateway.keyward.adminSocket);
    expect((await sendHttp1(port, { secret: key.secret })).status).toBe(200);
    await gateway.keyward.kill();
    const { status, reason, seen } = await sendHttp1(port, { secret: key.secret });
    expect({ status, reason, seen }).toEqual({ status: 503, reason: undefined, seen: undefined });
    expect((await sendHttp1(port, {})).status).toBe(503);
  });

  test("an Envoy that fails open lets all through, but nobody as somebody", async () => {
    const gateway = await gatewayForThisTest();
    const { port } = await gateway.shipped({ from: "failure_mode_allow: false", to: "failure_mode_allow: true" });
    await gateway.keyward.kill();
    const headers = [
      ["x-keyward-key-id", "key_evil"],
      ["X.Keyward.Owner", "user/evil"],
    ] as const;
    const { status, seen } = await sendHttp1(port, { headers });
    expect([status, Object.keys(seen?.headers ?? {}).filter((name) => name.includes("keyward"))]).toEqual([200, []]);
  });
});

describe("when Keyward has no store", () => {
  const flags = (setting: string) => ["--mode", "authz", "--on-store-error", setting];
  const body = {
    error: "temporarily_unavailable",
    error_description: "API keys cannot be checked at the moment",
    decision_id: expect.any(String),
  };

  test.each([
    ["deny", false],
    ["deny", true],
    ["error", false],
  ])("on_store_error %s with failure_mode_allow %s: 503 with its reason", async (setting, failureModeAllow) => {
    const gateway = await gatewayForThisTest({ flags: flags(setting) });
    const { port } = await gateway.bare({ failureModeAllow });
    const answer = await sendHttp1(port, { secret });
    expect([answer.status, answer.reason]).toEqual([503, "store_unavailable"]);
    expect(JSON.parse(answer.body)).toEqual(body);
    expect(answer.headers["www-authenticate"]).toBe(undefined);
  });

  test("on_store_error error with failure_mode_allow true: the request goes through", async () => {
    const gateway = await gatewayForThisTest({ flags: flags("error") });
    const { port } = await gateway.bare({ failureModeAllow: true });
    const { status, seen } = await sendHttp1(port, { secret, path: "/v1" });
    expect([status, seen?.path]).toEqual([200, "/v1"]);
  });

  test.each(["deny", "error"])("on_store_error %s: what the client did wrong is still a denial", async (setting) => {
    const gateway = await gatewayForThisTest({ flags: flags(setting) });
    const { port } = await gateway.bare({ failureModeAllow: true });
    const answers = [await sendHttp1(port, {}), await sendHttp1(port, { secret: `${secret}0` })];
    expect(answers.map(({ status, reason }) => [status, reason])).toEqual([
      [401, "no_credential"],
      [401, "malformed_credential"],
    ]);
  });
});
