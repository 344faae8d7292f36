import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { createCheckClient } from "../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";

/** So long that nothing comes back while a test runs. */
const MONTH = "2678400s";

/** The reasons with which requests with a secret are answered, one after another. */
async function reasonsOf(authz: string, secrets: readonly string[]): Promise<string[]> {
  const client = createCheckClient(authz);
  const reasons: string[] = [];
  for (const secret of secrets) reasons.push((await client.present(secret)).reason);
  client.close();
  return reasons;
}

test("of many requests at once on several threads exactly so many pass, and every refusal is counted as one", async () => {
  const THREADS = 3;
  // The kernel spreads connections by their ports: so many meet every thread, but for one run in 10^7.
  const CONNECTIONS = 48;
  const ROUNDS = 5;
  const keyward = await keywardForThisTest({ flags: ["--check-threads", String(THREADS)] });
  const clients = Array.from({ length: CONNECTIONS }, () => checkClientForThisTest(keyward.authz));
  const { secret } = await createKey(keyward.adminSocket, { rateLimit: { requests: 100, window: MONTH } });

  const asked = clients.flatMap((client) => Array.from({ length: ROUNDS }, () => client.present(secret)));
  const reasons = (await Promise.all(asked)).map(({ reason }) => reason);
  const refused = CONNECTIONS * ROUNDS - 100;
  expect(reasons.toSorted()).toEqual([...Array(100).fill("allowed"), ...Array(refused).fill("rate_limited")]);

  const metrics = readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
  const checks = byLabel(metrics, "keyward_checks_total", "reason");
  expect([checks.get("allowed"), checks.get("rate_limited")]).toEqual([100, refused]);
  // Each thread has read the key once: fewer would be a thread that was not met.
  expect(metrics.get('keyward_cache_lookups_total{result="miss"}')).toBe(THREADS);
});

describe("a key's rate limit", () => {
  let keyward: Keyward;
  beforeAll(async () => {
    keyward = await startKeyward();
  });
  afterAll(() => keyward.stop());
  const make = (requests: number, more: object = {}) => {
    return createKey(keyward.adminSocket, { rateLimit: { requests, window: MONTH }, ...more });
  };
  const call = (method: string, request: object) => adminCall(keyward.adminSocket, `KeyService/${method}`, request);
  const reasons = (...secrets: string[]) => reasonsOf(keyward.authz, secrets);

  test("refuses what is too much with 429, and says when to come again", async () => {
    const { secret } = await make(2, { rateLimit: { requests: 2, window: "60s" } });
    expect(await reasons(secret, secret)).toEqual(["allowed", "allowed"]);
    const refused = await checkClientForThisTest(keyward.authz).present(secret);
    expect(refused).toMatchObject({ answer: "denied", code: 7, status: 429, reason: "rate_limited" });
    expect(refused.headers).toMatchObject({ "ratelimit-policy": '"key";q=2;w=60' });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(30);
    expect(refused.headers.ratelimit).toBe(`"key";r=0;t=${refused.headers["retry-after"]}`);
  });

  test("is that of the key alone", async () => {
    const [one, other, free] = [await make(1), await make(1), await createKey(keyward.adminSocket)];
    expect(await reasons(one.secret, one.secret, other.secret, other.secret, free.secret, free.secret)).toEqual([
      "allowed",
      "rate_limited",
      "allowed",
      "rate_limited",
      "allowed",
      "allowed",
    ]);
  });

  test("counts a key and its successor together, and a successor's successor too", async () => {
    const first = await make(3);
    expect(await reasons(first.secret)).toEqual(["allowed"]);
    const { key, secret = "" } = await call("RotateKey", { key: first.id, grace: "600s" });
    expect(await reasons(secret)).toEqual(["allowed"]);
    const last = await call("RotateKey", { key: key.id, grace: "600s" });
    expect(await reasons(last.secret ?? "")).toEqual(["allowed"]);
    expect(await reasons(first.secret, secret, last.secret ?? "")).toEqual(Array(3).fill("rate_limited"));
  });

  test("goes on with what was used when it is changed, and when it is taken away and set again", async () => {
    const { id, secret } = await make(4);
    const change = (rateLimit: object | undefined) =>
      call("UpdateKey", { key: id, updateMask: "rateLimit", rateLimit });
    expect(await reasons(secret, secret)).toEqual(["allowed", "allowed"]);
    // Half of the window is used, whatever it is divided into.
    await change({ requests: 8, window: MONTH });
    expect(await reasons(...Array(5).fill(secret))).toEqual([...Array(4).fill("allowed"), "rate_limited"]);
    await change(undefined);
    expect(await reasons(secret, secret)).toEqual(["allowed", "allowed"]);
    await change({ requests: 8, window: MONTH });
    expect(await reasons(secret)).toEqual(["rate_limited"]);
  });

  test("does not count what is refused for another reason", async () => {
    const { id, secret } = await make(1, { methods: ["GET"] });
    const client = checkClientForThisTest(keyward.authz);
    const answers = [
      await client.present(secret, { method: "POST" }),
      await client.present(secret, { path: "//" }),
      await call("DisableKey", { key: id }).then(() => client.present(secret)),
      await call("EnableKey", { key: id }).then(() => client.present(secret)),
      await client.present(secret),
    ];
    expect(answers.map(({ reason }) => reason)).toEqual([
      "method_not_allowed",
      "ambiguous_path",
      "key_disabled",
      "allowed",
      "rate_limited",
    ]);
  });
});

test("a wall clock that jumps by years brings no request back", async () => {
  const clock = new URL("./children/jumping-clock.ts", import.meta.url);
  const keyward = await keywardForThisTest({ env: { NODE_OPTIONS: `--import=${clock}` } });
  const { id, secret } = await createKey(keyward.adminSocket, { rateLimit: { requests: 3, window: MONTH } });
  const reasons = await reasonsOf(keyward.authz, Array(8).fill(secret));
  expect(reasons).toEqual([...Array(3).fill("allowed"), ...Array(5).fill("rate_limited")]);
  // The clock of the check threads does jump: a key that expires in a year is there, and gone, and there.
  const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString();
  await adminCall(keyward.adminSocket, "KeyService/UpdateKey", {
    key: id,
    updateMask: "expiresAt,rateLimit",
    expiresAt: inAYear,
  });
  expect(new Set(await reasonsOf(keyward.authz, Array(8).fill(secret)))).toEqual(new Set(["allowed", "key_expired"]));
});

test("a program that is started anew begins to count anew", async () => {
  const folder = folderForThisTest();
  const first = await startKeyward({ folder });
  const { secret } = await createKey(first.adminSocket, { rateLimit: { requests: 1, window: MONTH } });
  expect(await reasonsOf(first.authz, [secret, secret])).toEqual(["allowed", "rate_limited"]);
  await first.stop();
  const second = await keywardForThisTest({ folder });
  expect(await reasonsOf(second.authz, [secret, secret])).toEqual(["allowed", "rate_limited"]);
});
