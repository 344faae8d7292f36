import { expect, test } from "vitest";
import { INVALID_KEYS_SPAN_MS } from "../../src/observe/invalid-keys.ts";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

const FLOOD = 300;

test("a flood of invalid keys is a metric and a line with counts by the clients' networks, and good keys open", async () => {
  const keyward = await keywardForThisTest({ flags: ["--client-address-trusted-hops", "1"] });
  const client = checkClientForThisTest(keyward.authz);
  const { secret } = await createKey(keyward.adminSocket);
  const from = (address: string) => ({ headers: [["x-forwarded-for", `${address}, 10.0.0.1`]] as const });
  const invalid: string[] = [];
  // Spans are those of the clock: one that has just begun holds the whole flood.
  await until("a span has begun", () => Date.now() % INVALID_KEYS_SPAN_MS < INVALID_KEYS_SPAN_MS / 2);
  for (let count = 0; count < FLOOD; count++) {
    const presented = count % 3 === 0 ? secret.slice(0, -1) : secretOf(`stranger ${count}`);
    invalid.push(presented);
    const { reason } = await client.present(presented, from(count % 2 === 0 ? "203.0.113.9" : "2001:db8:7:1::9"));
    expect(reason).toBe(count % 3 === 0 ? "malformed_credential" : "unknown_key");
  }
  expect((await client.present(secret)).reason).toBe("allowed");

  const samples = readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
  const reasons = byLabel(samples, "keyward_checks_total", "reason");
  expect([reasons.get("malformed_credential"), reasons.get("unknown_key")]).toEqual([100, 200]);

  // What has not been told by then is told at the end.
  await keyward.stop();
  const lines = keyward
    .log()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ event }) => event === "invalid_keys")).toMatchObject([
    {
      level: "warn",
      malformed: 100,
      unknown: 200,
      networks: { "203.0.113.0/24": FLOOD / 2, "2001:db8:7::/48": FLOOD / 2 },
      elsewhere: 0,
    },
  ]);
  expect(lines.filter(({ reason }) => reason === "unknown_key" || reason === "malformed_credential")).toHaveLength(3);
  expect(invalid.filter((presented) => keyward.log().includes(presented))).toEqual([]);
});
