import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { startEnvoy } from "../support/envoy.ts";
import { bareEnvoyConfig } from "./support/bare-envoy.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
let port: number;

beforeAll(async () => {
  gateway = await startGateway();
  ({ port } = await gateway.shipped());
});

afterAll(() => gateway.stop());

const HOUR = { requests: 2, window: "3600s" };

/** What an answer says of limits, by name. */
function limitsIn({ headers }: { headers: NodeJS.Dict<string | string[]> }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /limit|retry/.test(name)));
}

describe.each(VERSIONS)("over %s", (_, send) => {
  test("a key passes as often as its limit says, and is then refused with 429 and the time to come again", async () => {
    const { secret } = await createKey(gateway.keyward.adminSocket, { rateLimit: HOUR });
    const policy = '"key";q=2;w=3600';
    const answers = [await send(port, { secret }), await send(port, { secret }), await send(port, { secret })];
    expect(answers.map(({ status, seen }) => [status, seen !== undefined])).toEqual([
      [200, true],
      [200, true],
      [429, false],
    ]);
    const [first, second, refused] = answers.map(limitsIn);
    expect(first).toEqual({ "ratelimit-policy": policy, ratelimit: expect.stringMatching(/^"key";r=1;t=1800$/) });
    expect(second).toEqual({ "ratelimit-policy": policy, ratelimit: expect.stringMatching(/^"key";r=0;t=1[78]\d\d$/) });
    expect(refused).toEqual({
      "ratelimit-policy": policy,
      ratelimit: `"key";r=0;t=${refused?.["retry-after"]}`,
      "retry-after": expect.stringMatching(/^1[78]\d\d$/),
    });
    expect(
      answers.flatMap(({ seen }) => Object.keys(seen?.headers ?? {})).filter((name) => /limit/i.test(name)),
    ).toEqual([]);
    expect(answers[2]?.headers["www-authenticate"]).toBe(undefined);
    expect(JSON.parse(answers[2]?.body ?? "")).toEqual({
      error: "rate_limited",
      error_description: "API key has been used as often as its rate limit allows",
      decision_id: answers[2]?.headers["x-keyward-decision-id"],
    });
  });

  test("a key without a limit passes as often as it likes, and hears of none", async () => {
    const { secret } = await createKey(gateway.keyward.adminSocket);
    const answers = [await send(port, { secret }), await send(port, { secret }), await send(port, { secret })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(limitsIn)).toEqual([{}, {}, {}]);
  });

  test("what an upstream says of its own limits is left beside the key's", async () => {
    const upstream = createServer((_request, response) => {
      response.writeHead(204, { ratelimit: '"burst";r=9;t=1', "ratelimit-policy": '"burst";q=10;w=1' }).end();
    });
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => {
      upstream.close();
    });
    const ports = {
      keyward: Number(gateway.keyward.authz.split(":")[1]),
      upstream: (upstream.address() as AddressInfo).port,
    };
    const envoy = await startEnvoy({ config: bareEnvoyConfig(ports) });
    onTestFinished(() => envoy.stop());
    const { secret } = await createKey(gateway.keyward.adminSocket, { rateLimit: HOUR });
    expect(limitsIn(await send(envoy.port("ingress"), { secret }))).toEqual({
      ratelimit: '"burst";r=9;t=1, "key";r=1;t=1800',
      "ratelimit-policy": '"burst";q=10;w=1, "key";q=2;w=3600',
    });
  });
});
