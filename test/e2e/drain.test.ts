import { expect, onTestFinished, test } from "vitest";
import { shippedEnvoyConfig } from "../../demo/envoy-config.ts";
import { startUpstream } from "../../demo/upstream.ts";
import { createKey } from "../support/admin-call.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { startKeyward } from "../support/keyward.ts";
import { freePorts } from "../support/ports.ts";
import { TRANSPORT, TRANSPORTS } from "../support/transports.ts";
import { until } from "../support/until.ts";
import { statsOf } from "./support/stats.ts";
import { startSteadyLoad } from "./support/steady.ts";

/** On the transport that is the way back, some of them have to do: each takes three seconds. */
const RESTARTS = TRANSPORT === TRANSPORTS[0] ? 20 : 8;

/** As shipped, more than two of Envoy's intervals between health checks. */
const SHUTDOWN_DELAY = "1s";

/** One writes the database that both answer from: the smallest way to have two of them on one machine. */
const MODES = ["all", "authz"] as const;

const HEALTHY = "cluster.keyward.membership_healthy";
const ERRORS = "http.ingress.ext_authz.error";
const RETRIES = "cluster.keyward.upstream_rq_retry";

/** For how long a check may take: a machine that starts programs stands still for longer than Envoy waits as shipped. */
const PATIENCE = "5s";

/** What is different from the configuration that is shipped, beside the second endpoint. */
interface Changes {
  /** How often Envoy asks for health. */
  readonly interval: string;
  /** Whether it may ask again where a check has failed. */
  readonly retries: boolean;
}

/** With all that belongs to it: what is indented further. */
const RETRY_POLICY = /^( *)retry_policy:\n(?:\1 .*\n)+/m;

/** The shipped configuration with a second endpoint beside the first, and what else is changed. */
async function envoyBefore(
  [first = 0, second = 0]: readonly number[],
  upstream: number,
  { interval, retries }: Changes,
): Promise<Envoy> {
  const text = await shippedEnvoyConfig({ keyward: first, upstream });
  const endpoint = new RegExp(`^( *)- endpoint: .*port_value: ${first} .*$`, "m").exec(text);
  if (endpoint === null) throw new Error("deploy/envoy/envoy.yaml has no line for the endpoint of Keyward");
  if (!RETRY_POLICY.test(text)) throw new Error("deploy/envoy/envoy.yaml has no retry_policy");
  const other = endpoint[0].replace(`port_value: ${first} `, `port_value: ${second} `);
  const config = text
    .replace(retries ? "" : RETRY_POLICY, "")
    .replace(endpoint[0], `${endpoint[0]}\n${other}`)
    .replaceAll(/^( *(?:no_traffic_)?interval): 2s$/gm, `$1: ${interval}`)
    .replace(/^( *timeout): 0\.25s$/m, `$1: ${PATIENCE}`);
  const envoy = await startEnvoy({ config });
  onTestFinished(envoy.stop);
  return envoy;
}

/** Two sidecars behind one Envoy, and a key that opens. */
async function pairForThisTest(changes: Changes) {
  const folder = folderForThisTest();
  const ports = await freePorts(2);
  const upstream = await startUpstream();
  onTestFinished(upstream.stop);
  const start = (place: 0 | 1) => {
    const own = ["--mode", MODES[place], "--listen-authz", `127.0.0.1:${ports[place]}`];
    return startKeyward({ folder, flags: [...own, "--shutdown-delay", SHUTDOWN_DELAY] });
  };
  const running = [await start(0)];
  onTestFinished(async () => {
    for (const keyward of running) await keyward.stop();
  });
  running.push(await start(1));
  const { secret } = await createKey(running[0]?.adminSocket ?? "");
  const envoy = await envoyBefore(ports, upstream.port, changes);
  const healthy = async () => (await statsOf(envoy.adminPort, [HEALTHY]))[HEALTHY] ?? 0;
  await until("Envoy finds both healthy", async () => (await healthy()) === 2);
  return { running, start, envoy, healthy, secret };
}

// Of grpc-js, which says GOAWAY but once, a check may be on its way to a connection that ends: Envoy asks again.
const NEEDS_RETRIES = TRANSPORT === "grpc-js";
const ASKING = NEEDS_RETRIES ? "that asks again where it may" : "that never asks again";

test(`${RESTARTS} restarts of two sidecars in turn fail no request of an Envoy ${ASKING}`, {
  timeout: 180_000,
}, async () => {
  const { running, start, envoy, healthy, secret } = await pairForThisTest({
    interval: "0.25s",
    retries: NEEDS_RETRIES,
  });
  const load = startSteadyLoad(envoy.port("ingress"), secret);
  const ends: string[] = [];
  for (let restart = 0; restart < RESTARTS; restart++) {
    const place = restart % 2 === 0 ? 0 : 1;
    const answered = load.answered;
    await running[place]?.stop();
    ends.push((await running[place]?.ended) ?? "");
    await until("the other one answers alone", () => load.answered > answered + 20);
    running[place] = await start(place);
    await until("Envoy finds both healthy", async () => (await healthy()) === 2);
  }
  expect(await load.stop()).toEqual({ 200: load.answered });
  expect(ends).toEqual(Array(RESTARTS).fill("Keyward ended (exit code 0)"));
  expect(load.answered).toBeGreaterThan(RESTARTS * 20);
  // Nor was one sent to an endpoint that had gone: as both were asked for their health in time.
  expect(await statsOf(envoy.adminPort, [ERRORS, RETRIES])).toEqual({ [ERRORS]: 0, [RETRIES]: 0 });
});

test("after a kill of one of two sidecars the other answers, though Envoy has not noticed yet", async () => {
  const { running, envoy, healthy, secret } = await pairForThisTest({ interval: "60s", retries: true });
  await running[1]?.kill();
  const load = startSteadyLoad(envoy.port("ingress"), secret);
  await until("many have been answered", () => load.answered > 300);
  expect(await load.stop()).toEqual({ 200: load.answered });
  expect(await healthy()).toBe(2);
  expect((await statsOf(envoy.adminPort, [RETRIES]))[RETRIES]).toBeGreaterThan(100);
});
