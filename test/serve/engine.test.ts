import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { PREFACE } from "../../src/h2/preface.ts";
import { RawPeer } from "../h2/support/raw-peer.ts";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

const H2 = ["--transport", "h2"];

/** Behind the settings, a frame of DATA on stream 0: a connection error (RFC 9113 §6.1). */
const BROKEN = Buffer.concat([PREFACE, Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0), Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 0)]);

async function samplesOf({ ops }: Keyward) {
  return readMetrics(await (await fetch(`http://${ops}/metrics`)).text());
}

function open({ authz }: Keyward) {
  const [host = "", port] = authz.split(":");
  const socket = connect(Number(port), host).on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

test("peers that break the rules are cut, counted by cause, and told of in one line that says why", async () => {
  const keyward = await keywardForThisTest({ flags: H2 });
  const client = checkClientForThisTest(keyward.authz);
  const { secret } = await createKey(keyward.adminSocket);
  expect((await client.present(secret)).reason).toBe("allowed");
  const before = (await samplesOf(keyward)).get('keyward_h2_goaways_total{cause="protocol"}');
  for (let peer = 0; peer < 20; peer++) {
    const socket = open(keyward);
    socket.resume().write(BROKEN);
    await once(socket, "close");
  }
  await until("they are counted", async () => {
    return (await samplesOf(keyward)).get('keyward_h2_goaways_total{cause="protocol"}') === 20;
  });
  const lines = () =>
    keyward
      .log()
      .split("\n")
      .filter((line) => line.includes("were ended for what their peers did"));
  await until("they are told of", () => lines().length > 0);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect((await client.present(`${secret}0`)).reason).toBe("malformed_credential");
  expect(before).toBe(0);
  await keyward.stop();
  const told = lines().map((line) => JSON.parse(line));
  expect(told[0]).toMatchObject({ level: "warn", cause: "protocol", address: "127.0.0.1" });
  expect(told[0].why).toMatch(/^a frame of/);
  // Those that came while the first line waited are in it; there is no line for each.
  expect(told.length).toBeLessThanOrEqual(2);
});

test("a person with curl is told in plain text what the port speaks", async () => {
  const keyward = await keywardForThisTest({ flags: H2 });
  const response = await fetch(`http://${keyward.authz}/`);
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(/gRPC|HTTP\/2/);
});

test("a connection that is old is drained, and no call on it is lost", async () => {
  const keyward = await keywardForThisTest({ flags: [...H2, "--max-connection-age", "1s"] });
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  const goaways = async () => (await samplesOf(keyward)).get('keyward_h2_goaways_total{cause="drain"}') ?? 0;
  await until("three connections have become old", async () => {
    expect((await client.present(secret)).reason).toBe("allowed");
    return (await goaways()) >= 3;
  });
  expect((await client.present(`${secret}0`)).reason).toBe("malformed_credential");
});

test("without an age a connection lasts, and the other transport has none", async () => {
  const keyward = await keywardForThisTest({ flags: H2 });
  const peer = new RawPeer(open(keyward));
  await peer.greet();
  expect((await samplesOf(keyward)).get('keyward_h2_goaways_total{cause="drain"}')).toBe(0);
  await expect(keywardForThisTest({ flags: ["--transport", "grpc-js", "--max-connection-age", "1s"] })).rejects.toThrow(
    'max-connection-age "1s" needs transport: h2',
  );
});
