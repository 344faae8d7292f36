import { afterAll, beforeAll, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { until } from "../support/until.ts";
import { GATEWAY_NAMES, startWorld, type World } from "./support/world.ts";

let world: World;
let secret: string;

beforeAll(async () => {
  world = await startWorld({});
  secret = (await createKey(world.keyward.adminSocket)).secret;
});

afterAll(() => world?.stop());

/** The status behind each gateway, of a request with a good key. */
async function statuses(): Promise<Record<string, number>> {
  const asked = GATEWAY_NAMES.map(async (name) => [name, (await world.send(name, { path: "/v1", secret })).status]);
  return Object.fromEntries(await Promise.all(asked));
}

const OPEN = Object.fromEntries(GATEWAY_NAMES.map((name) => [name, 200]));

/** What clients get while nobody can judge their requests. */
const CLOSED = { envoy: 503, nginx: 503, "ingress-nginx": 500, traefik: 500, haproxy: 503 };

test("a Keyward that says nothing lets nobody in, and once it goes on everybody is served", async () => {
  expect(await statuses()).toEqual(OPEN);
  process.kill(world.keyward.pid, "SIGSTOP");
  try {
    expect(await statuses()).toEqual({ ...CLOSED, caddy: 504 });
  } finally {
    process.kill(world.keyward.pid, "SIGCONT");
  }
  await until("every gateway lets in again", async () => {
    return Object.values(await statuses()).every((status) => status === 200);
  });
});

test("a Keyward that is gone lets nobody in", async () => {
  await world.keyward.kill();
  expect(await statuses()).toEqual({ ...CLOSED, caddy: 502 });
});
