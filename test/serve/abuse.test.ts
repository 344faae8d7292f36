import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ListenerName } from "../../src/observe/metrics/connections.ts";
import { createKey } from "../support/admin-call.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { readMetrics } from "../support/metrics.ts";
import { TRANSPORT, TRANSPORTS } from "../support/transports.ts";
import { until } from "../support/until.ts";
import { type Attack, openMany } from "./support/attacker.ts";
import { startGoodClients } from "./support/good-clients.ts";
import { HEAD, HTTP1_ATTACKS } from "./support/http1-attacks.ts";
import { HTTP2_ATTACKS } from "./support/http2-attacks.ts";

/** What one of them may cost: a garbage collection may wait until there is this much, and some of it is kept for the next time. */
const MAX_GROWTH_BYTES = 200 * 1024 * 1024;

/** What all of them together may: in a row, without an end, they come to 420 MiB, of which 250 are there from the start. */
const MAX_RSS_BYTES = 1024 * 1024 * 1024;

/** More than any listener takes. */
const silent = (count: number): readonly [title: string, attack: Attack] => [
  `${count} connections that say nothing`,
  (address) => openMany(address, count),
];

const TORN_DOWN: readonly [title: string, attack: Attack] = [
  "3000 connections that are torn down at once",
  async (address) => {
    for (const socket of await openMany(address, 3_000)) socket.resetAndDestroy();
  },
];

const LISTENERS = [
  ["authz", [silent(10_000), TORN_DOWN, ...HTTP2_ATTACKS]],
  ["forward_auth", [silent(3_000), TORN_DOWN, ...HTTP1_ATTACKS]],
  ["admin", [silent(3_000), TORN_DOWN, ...HTTP1_ATTACKS, ...HTTP2_ATTACKS]],
  ["ops", [silent(3_000), TORN_DOWN, ...HTTP1_ATTACKS]],
] as const;

/** The transport makes no difference to the other listeners: they are attacked once. */
const ATTACKED = LISTENERS.filter(([listener]) => listener === "authz" || TRANSPORT === TRANSPORTS[0]);

/** What somebody says who begins and does not go on. */
const BEGINNINGS = [
  ["authz", ["", "PRI * HTTP/2.0\r\n"]],
  ["forward_auth", ["", "GET /check/ngi", `${HEAD}x-a`]],
  ["admin", ["", "P", "PRI * HTTP/2.0\r\n"]],
  ["ops", ["", "GET /heal", `${HEAD}x-a`]],
] as const;

let keyward: Keyward;
let secret: string;
beforeAll(async () => {
  keyward = await startKeyward();
  ({ secret } = await createKey(keyward.adminSocket));
});
afterAll(() => keyward?.stop());

const addressOf = (listener: (typeof LISTENERS)[number][0]) =>
  ({ authz: keyward.authz, forward_auth: keyward.forwardAuth, admin: keyward.admin, ops: keyward.ops })[listener];

describe.each(ATTACKED)("%s: clients of every listener are served during", (listener, attacks) => {
  test.each(attacks)("%s", async (_, attack) => {
    const good = startGoodClients(keyward, secret);
    onTestFinished(async () => void (await good.stop()));
    await good.servedAgain();
    const before = rssOf(keyward.pid);
    await attack(addressOf(listener));
    await good.servedAgain();
    // And so is one that comes only now.
    await until("late clients are served, too", async () => {
      const late = startGoodClients(keyward, secret);
      await late.servedAgain();
      return (await late.stop()).length === 0;
    });
    expect(await good.stop()).toEqual([]);
    const rss = rssOf(keyward.pid);
    expect(rss - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(rss).toBeLessThan(MAX_RSS_BYTES);
  });
});

test("connections are counted, and those in excess make room", async () => {
  const before = await countsOf(keyward, "ops");
  await openMany(keyward.ops, 1_000);
  // The system completes a connection before the program accepts it.
  await until("all have been accepted", async () => {
    return (await countsOf(keyward, "ops")).accepted - before.accepted >= 1_000;
  });
  const after = await countsOf(keyward, "ops");
  expect(after.displaced - before.displaced).toBeGreaterThanOrEqual(1_000 - 128);
  expect(after.open).toBeLessThanOrEqual(128);
});

test("every listener hangs up on those who begin and do not go on, and counts them", async () => {
  const timeouts = () => Promise.all(BEGINNINGS.map(async ([listener]) => (await countsOf(keyward, listener)).timeout));
  const before = await timeouts();
  const slow = BEGINNINGS.flatMap(([listener, beginnings]) =>
    beginnings.map((said) => openMany(addressOf(listener), 1, Buffer.from(said, "latin1"))),
  );
  const sockets = (await Promise.all(slow)).flat();
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, "close")));
  await until("they are counted", async () => {
    const after = await timeouts();
    return BEGINNINGS.every(([, { length }], index) => (after[index] ?? 0) - (before[index] ?? 0) === length);
  });
});

async function countsOf({ ops }: Keyward, listener: ListenerName) {
  const samples = readMetrics(await (await fetch(`http://${ops}/metrics`)).text());
  const dropped = (reason: string) =>
    samples.get(`keyward_connections_dropped_total{listener="${listener}",reason="${reason}"}`) ?? 0;
  return {
    open: samples.get(`keyward_connections_open{listener="${listener}"}`) ?? 0,
    accepted: samples.get(`keyward_connections_accepted_total{listener="${listener}"}`) ?? 0,
    displaced: dropped("displaced"),
    timeout: dropped("timeout"),
  };
}

function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}
