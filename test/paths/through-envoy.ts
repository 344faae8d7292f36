import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { received } from "../../demo/upstream.ts";
import { startGateway } from "../e2e/support/gateway.ts";
import { createKey } from "../support/admin-call.ts";
import type { Campaign } from "../support/campaign.ts";
import { casesIn } from "./cases.ts";
import { createVerdicts, type Verdicts } from "./verdicts.ts";
import type { World } from "./world.ts";

/** Routes that overlap in every way in which a spelling could slip from one to the next. */
const ROUTES: World["routes"] = [
  { path: "/v1/me", access: "public" },
  { path: "/v1/admin", scopes: ["b"] },
  { path: "/v1/Acme/**", access: "deny" },
  { path: "/acme/me", access: "authenticated" },
  { path: "/acme/*", scopes: ["b"] },
  { path: "/me/{t}/**", tenant: "{t}" },
  { path: "/v1/a:b/**", scopes: ["b"] },
  { path: "/**", scopes: ["a"] },
];

const WORLDS: readonly World[] = [
  { paths: [], scopes: ["a"], tenant: "acme" },
  { paths: ["/v1", "=/admin/me"], scopes: ["a", "b"], tenant: "acme" },
  { paths: ["=/v1/admin", "/acme", "/me/acme"], scopes: ["a"], tenant: "me" },
].map((key) => ({ ...key, routes: ROUTES, defaultAccess: "deny" }));

/** How many requests are under way at once: more than that makes two cores no faster. */
const CONNECTIONS = 8;

/** Fewer would mean that nearly nothing of what is sent reaches the upstream. */
const LEAST_ALLOWED = 0.05;

interface Sent {
  readonly envoy: string;
  readonly verdicts: Verdicts;
  readonly secret: string;
  readonly port: number;
  readonly target: string;
}

/** Sends paths through an Envoy that repairs nothing and through the shipped one, and judges those the upstream got. */
export async function tryThroughEnvoy({ seed, count, untilMs, command }: Campaign): Promise<void> {
  const gateway = await startGateway({ config: JSON.stringify({ routes: ROUTES }) });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const ports = { bare: (await gateway.bare()).port, shipped: (await gateway.shipped()).port };
    const keys = await Promise.all(
      WORLDS.map(async (world) => {
        const { paths, scopes, tenant } = world;
        const { secret } = await createKey(gateway.keyward.adminSocket, { paths, scopes, tenant });
        return { world, secret, verdicts: createVerdicts(world) };
      }),
    );
    let sent = 0;
    let reached = 0;
    for (let batch = 0; sent < count && Date.now() < untilMs; batch++) {
      const drawn = keys.flatMap(({ world, ...key }) =>
        fc
          .sample(casesIn(world), { seed: (seed + batch) % 2 ** 31, numRuns: WORLDS_AT_ONCE })
          .flatMap(({ targets }) => targets.filter(isSendable))
          .flatMap((target) => Object.entries(ports).map(([envoy, port]): Sent => ({ ...key, envoy, port, target }))),
      );
      const waiting = drawn.slice(0, count - sent).values();
      sent += Math.min(drawn.length, count - sent);
      const lanes = Array.from({ length: CONNECTIONS }, async () => {
        for (const one of waiting) if (await isLetThrough(one, agent, `${command} --envoy --seed ${seed}`)) reached++;
      });
      await Promise.all(lanes);
    }
    process.stdout.write(`${sent} requests through Envoy, ${reached} of them reached the upstream, 0 escapes\n`);
    if (reached < sent * LEAST_ALLOWED) throw new Error("too few reach the upstream to say anything");
  } finally {
    agent.destroy();
    await gateway.stop();
  }
}

/** How many lists of paths are drawn for each key before they are sent. */
const WORLDS_AT_ONCE = 20;

/** What Node's client can send in a request line, and no authority or asterisk form. */
function isSendable(target: string): boolean {
  return /^\/[!-~\x80-\xff]*$/.test(target);
}

/** Whether the upstream got it. Throws where it should not have, or could read what it got as something else. */
async function isLetThrough(
  { envoy, verdicts, secret, port, target }: Sent,
  agent: Agent,
  again: string,
): Promise<boolean> {
  const headers = ["host", "api.test", "authorization", `Bearer ${secret}`];
  const outgoing = request({ host: "127.0.0.1", port, path: target, agent, headers });
  const [response] = (await once(outgoing.end(), "response")) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) return false;
  const { path } = received.parse(JSON.parse(body));
  const decision = verdicts.decide(path);
  const found = decision.allowed ? verdicts.escapeOf(path, decision.record !== undefined) : decision.reason;
  if (found === undefined) return true;
  throw new Error(`${target} went through the ${envoy} Envoy as ${path}: ${found}\nTo see it again: ${again}`);
}
