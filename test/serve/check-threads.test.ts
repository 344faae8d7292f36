import { expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";

const THREADS = 3;

/** The kernel spreads connections by their ports: so many meet every thread, but for one run in 10^7. */
const CONNECTIONS = 48;

test("every thread that shares the port obeys a revocation before the call has returned", async () => {
  const keyward = await keywardForThisTest({ flags: ["--check-threads", String(THREADS)] });
  const clients: CheckClient[] = Array.from({ length: CONNECTIONS }, () => createCheckClient(keyward.authz));
  const ask = async (secret: string) => {
    const verdicts = await Promise.all(clients.map((client) => client.present(secret)));
    return [...new Set(verdicts.map(({ reason }) => reason))];
  };

  for (let round = 0; round < 5; round++) {
    const { id, secret } = await createKey(keyward.adminSocket);
    expect(await ask(secret)).toEqual(["allowed"]);
    const { enforced } = await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id });
    expect({ enforced, reasons: await ask(secret) }).toEqual({ enforced: true, reasons: ["key_revoked"] });
  }
  for (const client of clients) client.close();

  const metrics = readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
  const applied = byLabel(metrics, "keyward_applied_revision", "thread");
  expect([...applied]).toEqual([
    ["0", 10],
    ["1", 10],
    ["2", 10],
  ]);
  // Each thread reads a key once before and once after it was revoked: fewer misses would be a thread that was not met.
  expect(metrics.get('keyward_cache_lookups_total{result="miss"}')).toBe(THREADS * 2 * 5);
});
