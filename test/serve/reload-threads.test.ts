import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { reload, reloadsOf, replaceFile } from "./support/reload.ts";

/** Each rule set answers every path in its own way, so that an answer of a mixture would be seen. */
const ONE = `www_authenticate: on
realm: one
routes:
  - { path: /a, access: public }
  - { path: /b, access: deny }
`;
const OTHER = `realm: other
routes:
  - { path: /a, access: deny }
  - { path: /b, access: authenticated }
`;

/** What the rule sets answer on `/a`, `/b` and on a path that no route has. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  "/a": ["public", "route_denied"],
  "/b": ["route_denied", "no_credential other"],
  "/c": ["route_denied"],
};

/** The reason, with the realm where there is one: the two come from different parts of a rule set. */
async function answerOf(client: CheckClient, path: string): Promise<string> {
  const { reason, headers } = await client.check({ path });
  const realm = /realm="(\w+)"/.exec(headers["www-authenticate"] ?? "")?.[1];
  return realm === undefined ? reason : `${reason} ${realm}`;
}

test("all check threads obey a reload before it is told to be in effect", async () => {
  const keyward = await keywardForThisTest({ config: ONE, flags: ["--check-threads", "2"] });
  // The kernel spreads connections by their ports: so many meet both threads, but for one run in 2^31.
  const clients = Array.from({ length: 32 }, () => createCheckClient(keyward.authz));
  onTestFinished(() => clients.forEach((client) => void client.close()));
  const answers = async () => [...new Set(await Promise.all(clients.map((client) => answerOf(client, "/b"))))];
  for (const [config, expected] of [
    [OTHER, "no_credential other"],
    [ONE, "route_denied"],
    [OTHER, "no_credential other"],
  ] as const) {
    await reload(keyward, config);
    expect(await answers()).toEqual([expected]);
  }
});

test("checks are counted by the routes of the file that is in effect, and those of before keep their counts", async () => {
  const keyward = await keywardForThisTest({ config: `routes: [{ path: /old, access: public }]\n` });
  const client = createCheckClient(keyward.authz);
  onTestFinished(() => client.close());
  await client.check({ path: "/old" });
  await reload(keyward, `routes: [{ path: /new, access: public }]\n`);
  await client.check({ path: "/new" });
  const samples = readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
  const counts = byLabel(samples, "keyward_route_checks_total", "route");
  expect([counts.get("/old"), counts.get("/new"), counts.get("other")]).toEqual([1, 1, undefined]);
});

test("1,000 reloads under load: every answer is that of one of the two files, and none is missing", async () => {
  const keyward = await keywardForThisTest({ config: ONE, flags: ["--check-threads", "2"] });
  const clients = Array.from({ length: 2 }, () => createCheckClient(keyward.authz));
  onTestFinished(() => clients.forEach((client) => void client.close()));
  const seen = new Map(Object.keys(ANSWERS).map((path) => [path, new Set<string>()]));
  let asking = true;
  let sent = 0;
  const asked = clients.map(async (client) => {
    while (asking) {
      for (const [path, answers] of seen) {
        sent++;
        answers.add(await answerOf(client, path));
      }
    }
  });

  const file = join(keyward.folder, "keyward.yaml");
  let before = "";
  for (let round = 1; round <= 1_000; round++) {
    replaceFile(file, round % 2 === 0 ? ONE : OTHER);
    process.kill(keyward.pid, "SIGHUP");
    await until("the reload is in effect", () => lastReload(keyward) !== before);
    before = lastReload(keyward);
  }
  asking = false;
  await Promise.all(asked);
  // The rejection of a check that was dropped would have ended the loop above.
  expect(sent).toBeGreaterThan(1_000);
  expect(Object.fromEntries([...seen].map(([path, answers]) => [path, [...answers].toSorted()]))).toEqual(
    Object.fromEntries(Object.entries(ANSWERS).map(([path, answers]) => [path, answers.toSorted()])),
  );
  expect(await reloadsOf(keyward)).toEqual({ success: 1_000, failure: 0, last: 1 });
  expect(keyward.log()).not.toContain("thread died");
}, 180_000);

/** The beginning of the last line that tells of a reload, which has its time. Not all lines of so many are kept. */
function lastReload(keyward: Keyward): string {
  const log = keyward.log();
  const end = log.lastIndexOf('"msg":"reloaded"');
  return end < 0 ? "" : log.slice(log.lastIndexOf("\n", end) + 1, end);
}
