import { once } from "node:events";
import { Agent, request } from "node:http";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { until } from "../support/until.ts";
import { sendHttp1 } from "./support/client.ts";
import { startGateway } from "./support/gateway.ts";
import { statsOf } from "./support/stats.ts";
import { startSteadyLoad } from "./support/steady.ts";

/** What Envoy counts of its connections to Keyward and of the checks on them. */
const STATS = {
  endedByKeyward: "cluster.keyward.upstream_cx_destroy_remote",
  endedByEnvoy: "cluster.keyward.upstream_cx_destroy_local",
  resets: "cluster.keyward.upstream_rq_tx_reset",
  timeouts: "cluster.keyward.upstream_rq_timeout",
} as const;

/** For machines that are busy with other tests: what is asked is whether a check fails, not how long it takes. */
const PATIENT = { from: " timeout: 0.25s", to: " timeout: 10s" };

/** Else Envoy itself ends its connections to an endpoint that it finds unhealthy, and opens others. */
const UNAWARE = { from: "unhealthy_threshold: 2", to: "unhealthy_threshold: 1000" };

/** A gateway with the Envoy that is shipped, and a key that opens. */
async function gatewayForThisTest(change: typeof PATIENT) {
  const gateway = await startGateway();
  onTestFinished(gateway.stop);
  const { port, adminPort } = await gateway.shipped(change);
  const { secret } = await createKey(gateway.keyward.adminSocket);
  const count = async (name: keyof typeof STATS) => (await statsOf(adminPort, [STATS[name]]))[STATS[name]] ?? 0;
  return { keyward: gateway.keyward, port, secret, count };
}

/** Sends requests all at once, and tells which statuses came of them. */
async function burst(port: number, secret: string, count: number): Promise<number[]> {
  const agent = new Agent();
  const headers = { host: "api.test", authorization: `Bearer ${secret}` };
  const send = async () => {
    const [response] = await once(request({ host: "127.0.0.1", port, agent, headers }).end(), "response");
    response.resume();
    return Number(response.statusCode);
  };
  const statuses = new Set(await Promise.all(Array.from({ length: count }, send)));
  agent.destroy();
  return [...statuses];
}

/** Envoy ends a connection of whose first 500 requests half were taken back at once: somebody who does this opens others. */
const RESETS_PER_CONNECTION = 450;

/** Takes back requests as soon as they are sent, on a connection of their own. */
async function sendAndReset(port: number, secret: string): Promise<void> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
  await once(session, "remoteSettings");
  const headers = { ":path": "/", ":authority": "api.test", authorization: `Bearer ${secret}` };
  const closed = Array.from({ length: RESETS_PER_CONNECTION }, () => {
    const stream = session.request(headers).on("error", () => {});
    const end = new Promise((resolve) => stream.once("close", resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    return end;
  });
  await Promise.all(closed);
  session.destroy();
}

test("thousands of checks that Envoy gives up while Keyward stands still end no connection", async () => {
  const { keyward, port, secret, count } = await gatewayForThisTest(UNAWARE);
  expect(await burst(port, secret, 1)).toEqual([200]);
  process.kill(keyward.pid, "SIGSTOP");
  try {
    for (let wave = 0; wave < 5; wave++) expect(await burst(port, secret, 500)).toEqual([503]);
  } finally {
    process.kill(keyward.pid, "SIGCONT");
  }
  await until("Keyward answers again", async () => (await sendHttp1(port, { secret })).status === 200);
  expect(await count("timeouts")).toBeGreaterThan(2_000);
  expect(await burst(port, secret, 100)).toEqual([200]);
  expect((await sendHttp1(port, { secret: `${secret}0` })).reason).toBe("malformed_credential");
  expect([await count("endedByKeyward"), await count("endedByEnvoy")]).toEqual([0, 0]);
});

test("thousands of requests that a client takes back at once fail no check of another client", async () => {
  const { port, secret, count } = await gatewayForThisTest(PATIENT);
  const load = startSteadyLoad(port, secret);
  await until("the others are served", () => load.answered > 20);
  for (let wave = 0; wave < 3; wave++) {
    await Promise.all(Array.from({ length: 4 }, () => sendAndReset(port, secret)));
  }
  const during = load.answered;
  await until("the others are served still", () => load.answered > during + 20);
  expect(await load.stop()).toEqual({ 200: load.answered });
  expect(await count("resets")).toBeGreaterThan(3_000);
  expect([await count("endedByKeyward"), await count("endedByEnvoy")]).toEqual([0, 0]);
});
