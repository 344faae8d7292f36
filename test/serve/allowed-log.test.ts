import { expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

const CONFIG = `routes:
  - { path: /healthz, access: public }
  - { path: "/v1/**", access: authenticated }
`;

/** The lines of a log that has ended. */
function linesIn(log: string): Record<string, string>[] {
  return log
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, string>);
}

test.each([
  ["all", 30],
  ["sampled", 10],
  ["none", 0],
] as const)("log.allowed %s writes of 30 allowed checks in one second %i lines", async (which, expected) => {
  const keyward = await keywardForThisTest({ config: CONFIG, flags: ["--log-allowed", which] });
  const { id, secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  // From the beginning of a second on, so that all fall into one.
  await until("a second begins", () => Date.now() % 1_000 < 100);
  const sent = await Promise.all(Array.from({ length: 30 }, () => client.present(secret, { path: "/v1/orders?k=v" })));
  await client.present(secret, { path: "/closed" });
  await keyward.stop();

  const lines = linesIn(keyward.log()).filter(({ msg }) => msg === "allowed");
  expect(lines).toHaveLength(expected);
  const decisions = new Set(sent.map(({ metadata }) => metadata.decision_id));
  for (const line of lines) {
    expect(line).toMatchObject({ level: "info", key_id: id, route: "/v1/**" });
    expect(decisions.has(line.decision_id)).toBe(true);
  }
  expect(new Set(lines.map(({ decision_id }) => decision_id)).size).toBe(expected);
  expect(keyward.log()).not.toContain(secret.slice(3, -6));
});

test("log.allowed tells of public routes, too, without a key", async () => {
  const keyward = await keywardForThisTest({ config: CONFIG, flags: ["--log-allowed", "all"] });
  await checkClientForThisTest(keyward.authz).check({ path: "/healthz" });
  await keyward.stop();
  const [line, ...more] = linesIn(keyward.log()).filter(({ msg }) => msg === "allowed");
  expect([line?.route, line?.key_id, more]).toEqual(["/healthz", undefined, []]);
});
