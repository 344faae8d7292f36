import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { FLAG } from "../../src/h2/frame.ts";
import { headers, type Pair, rst } from "../h2/support/frames.ts";
import { RawPeer } from "../h2/support/raw-peer.ts";
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

const HALF_A_SECOND = { from: " timeout: 0.25s", to: " timeout: 0.5s" };

/** Else Envoy itself ends its connections to an endpoint that it finds unhealthy, and opens others. */
const UNAWARE = { from: "unhealthy_threshold: 2", to: "unhealthy_threshold: 1000" };

/** A gateway with the Envoy that is shipped, and a key that opens. */
async function gatewayForThisTest(...changes: readonly (typeof PATIENT)[]) {
  const gateway = await startGateway();
  onTestFinished(gateway.stop);
  const { port, adminPort } = await gateway.shipped(...changes);
  const { secret } = await createKey(gateway.keyward.adminSocket);
  const count = async (name: keyof typeof STATS) => (await statsOf(adminPort, [STATS[name]]))[STATS[name]] ?? 0;
  return { keyward: gateway.keyward, port, secret, count };
}

/** Sends requests all at once, and tells which statuses came of them. */
async function burst(port: number, secret: string, count: number): Promise<number[]> {
  const agent = new Agent();
  const fields = { host: "api.test", authorization: `Bearer ${secret}` };
  const send = async () => {
    const [response] = await once(request({ host: "127.0.0.1", port, agent, headers: fields }).end(), "response");
    response.resume();
    return Number(response.statusCode);
  };
  const statuses = new Set(await Promise.all(Array.from({ length: count }, send)));
  agent.destroy();
  return [...statuses];
}

/** Envoy ends a connection once 250 of its first 500 requests were taken back at once: somebody who does this opens others. */
const RESETS_PER_CONNECTION = 240;
const RESETTING_CONNECTIONS = 21;

/** Takes back 5,040 requests as soon as they are sent, and all of them are sent at once. */
async function sendAndReset(port: number, secret: string): Promise<void> {
  const fields: Pair[] = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "api.test"],
    ["authorization", `Bearer ${secret}`],
  ];
  const frames = Array.from({ length: RESETS_PER_CONNECTION }, (_, index) =>
    Buffer.concat([headers(2 * index + 1, fields, FLAG.endStream), rst(2 * index + 1)]),
  );
  const peers = Array.from({ length: RESETTING_CONNECTIONS }, () => new RawPeer(connect(port, "127.0.0.1")));
  await Promise.all(peers.map((peer) => peer.greet()));
  for (const peer of peers) peer.send(...frames);
  await Promise.all(peers.map((peer) => peer.sync()));
  for (const { socket } of peers) socket.destroy();
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

test("a pause of Keyward under load fails the checks that it lasts too long for, and no other", async () => {
  const { keyward, port, secret, count } = await gatewayForThisTest(UNAWARE, HALF_A_SECOND);
  const load = startSteadyLoad(port, secret, 140);
  await until("all are served", () => load.answered > 300);
  const before = await count("timeouts");
  process.kill(keyward.pid, "SIGSTOP");
  try {
    await until("400 checks have waited in vain", async () => (await count("timeouts")) >= before + 400);
  } finally {
    process.kill(keyward.pid, "SIGCONT");
  }
  await until("Keyward answers again", async () => (await sendHttp1(port, { secret })).status === 200);
  const outcomes = await load.stop();
  expect(Object.keys(outcomes)).toEqual(["200", "503"]);
  expect(outcomes[503]).toBe(await count("timeouts"));
  expect(await burst(port, secret, 100)).toEqual([200]);
  expect([await count("endedByKeyward"), await count("endedByEnvoy")]).toEqual([0, 0]);
});

test("5,040 requests that are taken back as soon as they are sent fail no check of another client", async () => {
  const { port, secret, count } = await gatewayForThisTest(PATIENT);
  const load = startSteadyLoad(port, secret);
  await until("the others are served", () => load.answered > 20);
  await sendAndReset(port, secret);
  const during = load.answered;
  await until("the others are served still", () => load.answered > during + 20);
  expect(await load.stop()).toEqual({ 200: load.answered });
  expect(await count("resets")).toBeGreaterThan(4_900);
  expect([await count("endedByKeyward"), await count("endedByEnvoy")]).toEqual([0, 0]);
});
